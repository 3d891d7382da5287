//! Privileges and the roles that Proxmox VE 9.1 brings. The recordings prove PVEUserAdmin, PVESDNAdmin, PVETemplateUser,
//! PVEAuditor and the beginnings of PVEVMAdmin and Administrator; the others follow Proxmox's source.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::user_cfg::UserCfg;

const VM_USER: &str =
    "VM.Audit VM.Backup VM.Config.CDROM VM.Config.Cloudinit VM.Console VM.GuestAgent.Audit VM.PowerMgmt";
const VM_ADMIN: &str = "VM.Allocate VM.Clone VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory \
    VM.Config.Network VM.Config.Options VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite \
    VM.GuestAgent.Unrestricted VM.Migrate VM.Replicate VM.Snapshot VM.Snapshot.Rollback";
const STORAGE: &str = "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit";
const MAPPING: &str = "Mapping.Audit Mapping.Modify Mapping.Use";
const SDN: &str = "SDN.Allocate SDN.Audit SDN.Use";
const SYSTEM: &str = "Sys.Audit Sys.Console Sys.Syslog";
const USERS: &str = "Group.Allocate Realm.AllocateUser User.Modify";
const POOL: &str = "Pool.Allocate Pool.Audit";
const ROOT: &str = "Permissions.Modify Realm.Allocate Sys.AccessNetwork Sys.Incoming Sys.Modify Sys.PowerMgmt";

const ROLES: [(&str, &[&str]); 18] = [
    (
        "Administrator",
        &[VM_USER, VM_ADMIN, STORAGE, MAPPING, SDN, SYSTEM, USERS, POOL, ROOT],
    ),
    ("NoAccess", &[]),
    (
        "PVEAdmin",
        &[VM_USER, VM_ADMIN, STORAGE, MAPPING, SDN, SYSTEM, USERS, POOL],
    ),
    (
        "PVEAuditor",
        &["Datastore.Audit Mapping.Audit Pool.Audit SDN.Audit Sys.Audit VM.Audit VM.GuestAgent.Audit"],
    ),
    ("PVEDatastoreAdmin", &[STORAGE]),
    ("PVEDatastoreUser", &["Datastore.AllocateSpace Datastore.Audit"]),
    ("PVEMappingAdmin", &[MAPPING]),
    ("PVEMappingAuditor", &["Mapping.Audit"]),
    ("PVEMappingUser", &["Mapping.Audit Mapping.Use"]),
    ("PVEPoolAdmin", &[POOL]),
    ("PVEPoolUser", &["Pool.Audit"]),
    ("PVESDNAdmin", &[SDN]),
    ("PVESDNUser", &["SDN.Audit SDN.Use"]),
    ("PVESysAdmin", &[SYSTEM]),
    ("PVETemplateUser", &["VM.Audit VM.Clone"]),
    ("PVEUserAdmin", &[USERS]),
    ("PVEVMAdmin", &[VM_USER, VM_ADMIN]),
    ("PVEVMUser", &[VM_USER]),
];

/// The roles that Proxmox brings, each with its sorted privileges.
pub fn special() -> impl Iterator<Item = (&'static str, Vec<String>)> {
    ROLES.into_iter().map(|(name, parts)| {
        let all: BTreeSet<&str> = parts.iter().flat_map(|part| part.split_whitespace()).collect();
        (name, all.into_iter().map(str::to_owned).collect())
    })
}

/// Privileges of a user by path, as far as its own entries and its groups' go: 1 where they propagate.
pub fn of_user(cfg: &UserCfg, user: &str) -> Value {
    let mut paths = Map::new();
    for ((path, who, role), propagate) in &cfg.acl {
        let group = who.strip_prefix('@').and_then(|group| cfg.groups.get(group));
        if who != user && !group.is_some_and(|group| group.members.contains(user)) {
            continue;
        }
        let own = cfg
            .roles
            .get(role)
            .map(|privileges| privileges.iter().cloned().collect());
        let privileges = own.or_else(|| special().find(|(name, _)| name == role).map(|(_, all)| all));
        let Some(all) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() else {
            continue;
        };
        for privilege in privileges.unwrap_or_default() {
            all.insert(privilege, json!(u8::from(*propagate)));
        }
    }
    Value::Object(paths)
}
