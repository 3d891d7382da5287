//! `pveum acl`: who may do what where.

use serde_json::{Value, json};

use super::role;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::output::print;
use crate::user_cfg::UserCfg;

/// First parts of the paths that permissions are given on.
const TREES: [&str; 9] = [
    "", "access", "mapping", "nodes", "pool", "sdn", "storage", "vms", "groups",
];

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    if found.command == "acl list" {
        return Ok(print(
            &list(&UserCfg::load(call)),
            "path roleid type ugid propagate",
            &found.arguments,
        ));
    }
    let path = found.required("path")?.to_owned();
    let roles = found.required("roles")?.to_owned();
    let tree = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    if !tree.is_some_and(|tree| TREES.contains(&tree)) {
        return Err(found.refuse(&[("path", format!("invalid ACL path '{path}'"))]));
    }
    let delete = found.command == "acl delete";
    let propagate = found
        .arguments
        .get("propagate")
        .is_none_or(|_| found.arguments.is_set("propagate"));
    super::change(call, "ACL update", |cfg, _| {
        for role in split(&roles) {
            if !role::exists(cfg, role) {
                return Err(Fault::died(format!("role '{role}' does not exist")));
            }
            for who in everybody(cfg, found)? {
                let key = (path.clone(), who, role.to_owned());
                if delete {
                    cfg.acl.remove(&key);
                } else {
                    cfg.acl.insert(key, propagate);
                }
            }
        }
        Ok(())
    })
}

fn everybody(cfg: &UserCfg, found: &Found) -> Result<Vec<String>, Fault> {
    let mut all = Vec::new();
    for kind in ["group", "user", "token"] {
        let names = found.arguments.get(&format!("{kind}s")).unwrap_or_default();
        for name in split(names) {
            let exists = match kind {
                "group" => cfg.groups.contains_key(name),
                "user" => cfg.users.contains_key(name),
                _ => name
                    .split_once('!')
                    .is_some_and(|(user, id)| cfg.users.get(user).is_some_and(|user| user.tokens.contains_key(id))),
            };
            if !exists {
                return Err(Fault::died(format!("{kind} '{name}' does not exist")));
            }
            all.push(if kind == "group" {
                format!("@{name}")
            } else {
                name.to_owned()
            });
        }
    }
    Ok(all)
}

fn split(names: &str) -> impl Iterator<Item = &str> {
    names.split([',', ';', ' ']).filter(|name| !name.is_empty())
}

fn list(cfg: &UserCfg) -> Value {
    let row = |((path, who, role), propagate): (&(String, String, String), &bool)| {
        let kind = match who {
            group if group.starts_with('@') => "group",
            token if token.contains('!') => "token",
            _ => "user",
        };
        let who = who.trim_start_matches('@');
        json!({"path": path, "propagate": u8::from(*propagate), "roleid": role, "type": kind, "ugid": who})
    };
    cfg.acl.iter().map(row).collect()
}
