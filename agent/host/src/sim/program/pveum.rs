use serde_json::{Value, json};

use super::{complained, printed};
use crate::Output;
use crate::sim::proxmox::Proxmox;
use crate::sim::state::State;

/// The roles that Proxmox VE 9.1 brings.
const ROLES: &str = "Administrator NoAccess PVEAdmin PVEAuditor PVEDatastoreAdmin PVEDatastoreUser PVEMappingAdmin \
    PVEMappingAuditor PVEMappingUser PVEPoolAdmin PVEPoolUser PVESDNAdmin PVESDNUser PVESysAdmin PVETemplateUser \
    PVEUserAdmin PVEVMAdmin PVEVMUser";
const REALMS: [(&str, &str); 2] = [
    ("pam", "Linux PAM standard authentication"),
    ("pve", "Proxmox VE authentication server"),
];
const DOWN: &str = "ipcc_send_rec[1] failed: Connection refused\nipcc_send_rec[2] failed: Connection refused\n\
    ipcc_send_rec[3] failed: Connection refused\nUnable to load access control list: Connection refused\n";

/// What every program of Proxmox answers while pmxcfs is down; None when it is up.
pub(super) fn down(state: &State) -> Option<Output> {
    (!state.pmxcfs_runs()).then(|| complained(111, DOWN))
}

/// What a change answers after ten seconds without quorum; None with it.
pub(super) fn no_quorum(state: &State, attempted: &str, file: &str) -> Option<Output> {
    let trying = format!("trying to acquire cfs lock '{file}' ...\n").repeat(9);
    state.pmxcfs_is_read_only().then(|| {
        complained(
            13,
            format!("{trying}{attempted} failed: cfs-lock '{file}' error: no quorum!\n"),
        )
    })
}

/// The command lines of `crate::pveum`. Texts and exit codes are those of Proxmox VE 9.1.8.
pub(super) fn run(state: &mut State, args: &[&str]) -> Option<Output> {
    if let Some(down) = down(state) {
        return Some(down);
    }
    if let [what, "list", "--output-format", "json"] = args {
        return Some(printed(format!("{}\n", list(state.os.proxmox.as_ref()?, what)?)));
    }
    let attempted = match args {
        ["user", "add", ..] => "create user",
        ["user", "modify", ..] => "update user",
        ["group", "add", ..] => "create group",
        ["acl", "modify", ..] => "ACL update",
        _ => return None,
    };
    if let Some(refused) = no_quorum(state, attempted, "file-user_cfg") {
        return Some(refused);
    }
    Some(match change(state.os.proxmox.as_mut()?, args)? {
        Ok(()) => printed(""),
        Err((code, problem)) => complained(code, format!("{attempted} failed: {problem}\n")),
    })
}

fn list(proxmox: &Proxmox, what: &str) -> Option<Value> {
    Some(match what {
        "user" => {
            let row = |(id, enabled): (&String, &bool)| {
                let mut row = json!({"enable": u8::from(*enabled), "expire": 0, "userid": id});
                let realm = id.rsplit_once('@').map_or("", |(_, realm)| realm);
                if REALMS.iter().any(|(name, _)| *name == realm) {
                    row["realm-type"] = json!(realm);
                }
                row
            };
            proxmox.users.iter().map(row).collect()
        }
        "group" => {
            let row = |(name, members): (&String, &std::collections::BTreeSet<String>)| {
                let members: Vec<&str> = members.iter().map(String::as_str).collect();
                json!({"groupid": name, "users": members.join(",")})
            };
            proxmox.groups.iter().map(row).collect()
        }
        "realm" => {
            let row = |(name, comment): &(&str, &str)| json!({"comment": comment, "realm": name, "type": name});
            REALMS.iter().map(row).collect()
        }
        "role" => ROLES
            .split(' ')
            .map(|role| json!({"privs": "", "roleid": role, "special": 1}))
            .collect(),
        "acl" => {
            let row = |((path, who, role), propagates): (&(String, String, String), &bool)| {
                let kind = match who {
                    group if group.starts_with('@') => "group",
                    token if token.contains('!') => "token",
                    _ => "user",
                };
                let who = who.trim_start_matches('@');
                json!({"path": path, "propagate": u8::from(*propagates), "roleid": role, "type": kind, "ugid": who})
            };
            proxmox.permissions.iter().map(row).collect()
        }
        _ => return None,
    })
}

/// The error is an exit code with a text; None for a command line that is not known.
fn change(proxmox: &mut Proxmox, args: &[&str]) -> Option<Result<(), (i32, String)>> {
    let fail = |problem: String| Some(Err((255, problem)));
    match args {
        ["user", "add", id] => {
            if proxmox.users.contains_key(*id) {
                // The error number that is left over: there is no /etc/pve/domains.cfg.
                return Some(Err((2, format!("user '{id}' already exists"))));
            }
            proxmox.users.insert((*id).to_owned(), true);
        }
        ["user", "modify", id, "--groups", groups, "--append", "1"] => {
            for group in groups.split(',') {
                let Some(members) = proxmox.groups.get_mut(group) else {
                    return fail(format!("group '{group}' does not exist"));
                };
                members.insert((*id).to_owned());
            }
        }
        ["user", "modify", id, "--enable", enable] => {
            proxmox.users.insert((*id).to_owned(), *enable == "1");
        }
        ["group", "add", name] => {
            if proxmox.groups.contains_key(*name) {
                return fail(format!("group '{name}' already exists"));
            }
            proxmox.groups.insert((*name).to_owned(), Default::default());
        }
        [
            "acl",
            "modify",
            path,
            option,
            who,
            "--roles",
            role,
            "--propagate",
            propagates,
        ] => {
            if !ROLES.split(' ').any(|known| known == *role) {
                return fail(format!("role '{role}' does not exist"));
            }
            let (kind, there, owner) = match *option {
                "--users" => ("user", proxmox.users.contains_key(*who), (*who).to_owned()),
                "--groups" => ("group", proxmox.groups.contains_key(*who), format!("@{who}")),
                _ => return None,
            };
            if !there {
                return fail(format!("{kind} '{who}' does not exist"));
            }
            let key = ((*path).to_owned(), owner, (*role).to_owned());
            proxmox.permissions.insert(key, *propagates == "1");
        }
        _ => return None,
    }
    Some(Ok(()))
}
