//! `pveum role`: the roles that Proxmox brings, and own ones.

use serde_json::{Value, json};

use super::group::free;
use super::privileges;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::output::print;
use crate::user_cfg::UserCfg;

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    if found.command == "role list" {
        return Ok(print(
            &list(&UserCfg::load(call)),
            "roleid privs special",
            &found.arguments,
        ));
    }
    let role = found.required("roleid")?.to_owned();
    let given = found.arguments.get("privs").unwrap_or_default();
    let given = given.split([',', ' ']).filter(|p| !p.is_empty()).map(str::to_owned);
    match found.command.as_str() {
        "role add" => super::change(call, "create role", |cfg, _| {
            free(exists(cfg, &role), "role", &role)?;
            cfg.roles.insert(role, given.collect());
            Ok(())
        }),
        "role modify" => super::change(call, "update role", |cfg, _| {
            let missing = || Fault::died(format!("role '{role}' does not exist"));
            let privileges = cfg.roles.get_mut(&role).ok_or_else(missing)?;
            if !found.arguments.is_set("append") {
                privileges.clear();
            }
            privileges.extend(given);
            Ok(())
        }),
        "role delete" => super::change(call, "delete role", |cfg, _| {
            cfg.roles.remove(&role);
            cfg.acl.retain(|(_, _, other), _| *other != role);
            Ok(())
        }),
        _ => Err(super::not_built(found)),
    }
}

pub fn exists(cfg: &UserCfg, role: &str) -> bool {
    cfg.roles.contains_key(role) || privileges::special().any(|(name, _)| name == role)
}

fn list(cfg: &UserCfg) -> Value {
    let special = privileges::special().map(|(name, privileges)| (name.to_owned(), privileges, 1));
    let own = cfg
        .roles
        .iter()
        .map(|(name, privileges)| (name.clone(), privileges.iter().cloned().collect(), 0));
    let mut all: Vec<(String, Vec<String>, u8)> = special.chain(own).collect();
    all.sort();
    let row = |(name, privileges, special): (String, Vec<String>, u8)| json!({"privs": privileges.join(","), "roleid": name, "special": special});
    all.into_iter().map(row).collect()
}
