//! `pveum group` and `pveum pool`.

use serde_json::{Value, json};

use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::output::print;
use crate::user_cfg::{Group, UserCfg};

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    let comment = found.arguments.get("comment");
    match found.command.as_str() {
        "group list" => Ok(print(
            &groups(&UserCfg::load(call)),
            "groupid comment users",
            &found.arguments,
        )),
        "pool list" => Ok(print(&pools(&UserCfg::load(call)), "poolid comment", &found.arguments)),
        "group add" => {
            let name = found.required("groupid")?.to_owned();
            super::change(call, "create group", |cfg, _| {
                free(cfg.groups.contains_key(&name), "group", &name)?;
                let comment = comment.unwrap_or_default().to_owned();
                cfg.groups.insert(
                    name,
                    Group {
                        comment,
                        ..Group::default()
                    },
                );
                Ok(())
            })
        }
        "group modify" => {
            let name = found.required("groupid")?.to_owned();
            super::change(call, "update group", |cfg, _| {
                let missing = || Fault::died(format!("group '{name}' does not exist"));
                comment
                    .unwrap_or_default()
                    .clone_into(&mut cfg.groups.get_mut(&name).ok_or_else(missing)?.comment);
                Ok(())
            })
        }
        "group delete" => {
            let name = found.required("groupid")?.to_owned();
            super::change(call, "delete group", |cfg, _| {
                cfg.groups.remove(&name);
                let who = format!("@{name}");
                cfg.acl.retain(|(_, other, _), _| *other != who);
                Ok(())
            })
        }
        "pool add" => {
            let name = found.required("poolid")?.to_owned();
            super::change(call, "create pool", |cfg, _| {
                free(cfg.pools.contains_key(&name), "pool", &name)?;
                let comment = comment.unwrap_or_default().to_owned();
                cfg.pools.insert(name, [comment, String::new(), String::new()]);
                Ok(())
            })
        }
        _ => Err(super::not_built(found)),
    }
}

/// Fails when the name is taken.
pub fn free(taken: bool, kind: &str, name: &str) -> Result<(), Fault> {
    let fault = || Fault::died(format!("{kind} '{name}' already exists"));
    if taken { Err(fault()) } else { Ok(()) }
}

fn groups(cfg: &UserCfg) -> Value {
    let row = |(name, group): (&String, &Group)| {
        let members: Vec<&str> = group.members.iter().map(String::as_str).collect();
        with_comment(json!({"groupid": name, "users": members.join(",")}), &group.comment)
    };
    cfg.groups.iter().map(row).collect()
}

fn pools(cfg: &UserCfg) -> Value {
    cfg.pools
        .iter()
        .map(|(name, [comment, ..])| with_comment(json!({"poolid": name}), comment))
        .collect()
}

fn with_comment(mut row: Value, comment: &str) -> Value {
    if let Some(fields) = row.as_object_mut().filter(|_| !comment.is_empty()) {
        fields.insert("comment".to_owned(), json!(comment));
    }
    row
}
