//! `pveum user`: people, with or without a realm that exists.

use serde_json::{Map, Value, json};

use super::privileges;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::output::print;
use crate::user_cfg::{FIELDS, User, UserCfg};

const COLUMNS: &str =
    "userid comment email enable expire firstname groups keys lastname realm-type tfa-locked-until tokens totp-locked";

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    match found.command.as_str() {
        "user list" => Ok(print(&list(call, found), COLUMNS, &found.arguments)),
        "user add" => add(call, found),
        "user modify" => {
            let user = valid_name(found)?;
            super::change(call, "update user", |cfg, call| modify(cfg, call, found, &user))
        }
        "user delete" => {
            let user = valid_name(found)?;
            super::change(call, "delete user", |cfg, _| {
                cfg.users.remove(&user);
                cfg.groups
                    .values_mut()
                    .for_each(|group| _ = group.members.remove(&user));
                let token = format!("{user}!");
                cfg.acl
                    .retain(|(_, who, _), _| *who != user && !who.starts_with(&token));
                Ok(())
            })
        }
        "user permissions" => {
            let cfg = UserCfg::load(call);
            let user = found.arguments.get("userid").unwrap_or("root@pam");
            Ok(print(&privileges::of_user(&cfg, user), "", &found.arguments))
        }
        _ => Err(super::not_built(found)),
    }
}

/// A user's name has a realm and no space; whether the realm exists is not asked.
fn valid_name(found: &Found) -> Result<String, Fault> {
    let name = found.required("userid")?;
    let parts = name.rsplit_once('@');
    let valid = parts.is_some_and(|(user, realm)| {
        let fits = |c: char| !c.is_whitespace() && !matches!(c, ':' | '/');
        !user.is_empty() && user.chars().all(fits) && realm.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let problem = format!("invalid format - value '{name}' does not look like a valid user name\n");
    if valid {
        Ok(name.to_owned())
    } else {
        Err(found.refuse(&[("userid", problem)]))
    }
}

fn add(call: &mut Call, found: &Found) -> Result<String, Fault> {
    let user = valid_name(found)?;
    let password = found.arguments.get("password");
    if password.is_some_and(|password| password.len() < 8) {
        let problem = "value must be at least 8 characters long".to_owned();
        return Err(found.refuse(&[("password", problem)]));
    }
    super::change(call, "create user", |cfg, call| {
        if cfg.users.contains_key(&user) {
            return Err(Fault::new(call.left_over(), format!("user '{user}' already exists")));
        }
        if let Some((name, "pve")) = user.split_once('@').filter(|_| password.is_some()) {
            // The hash is no hash: the double never keeps a password.
            let shadow = call.read("/etc/pve/priv/shadow.cfg").unwrap_or_default();
            call.write("/etc/pve/priv/shadow.cfg", &format!("{shadow}{name}:*:\n"))?;
        }
        cfg.users.insert(user.clone(), User::default());
        modify(cfg, call, found, &user)
    })
}

fn modify(cfg: &mut UserCfg, call: &Call, found: &Found, name: &str) -> Result<(), Fault> {
    let missing = || Fault::new(call.left_over(), format!("no such user ('{name}')"));
    let user = cfg.users.get_mut(name).ok_or_else(missing)?;
    for (option, field) in FIELDS.into_iter().zip(&mut user.fields) {
        if let Some(value) = found.arguments.get(option) {
            value.clone_into(field);
        }
    }
    let Some(groups) = found.arguments.get("groups") else {
        return Ok(());
    };
    if !found.arguments.is_set("append") {
        cfg.groups.values_mut().for_each(|group| _ = group.members.remove(name));
    }
    for group in groups.split(',').filter(|group| !group.is_empty()) {
        let known = cfg.groups.get_mut(group);
        let known = known.ok_or_else(|| Fault::died(format!("group '{group}' does not exist")))?;
        known.members.insert(name.to_owned());
    }
    Ok(())
}

fn list(call: &Call, found: &Found) -> Value {
    let cfg = UserCfg::load(call);
    let full = found.arguments.is_set("full");
    let enabled = |user: &User| user.fields.first().is_some_and(|enable| enable == "1");
    let users = cfg
        .users
        .iter()
        .filter(|(_, user)| !found.arguments.is_set("enabled") || enabled(user));
    users.map(|(name, user)| row(call, &cfg, name, user, full)).collect()
}

fn row(call: &Call, cfg: &UserCfg, name: &str, user: &User, full: bool) -> Value {
    let mut row = Map::new();
    for (field, value) in FIELDS.into_iter().zip(&user.fields) {
        match field {
            "expire" if !cfg.is_written => {}
            "enable" | "expire" => _ = row.insert(field.to_owned(), json!(value.parse::<u64>().unwrap_or(0))),
            _ if value.is_empty() => {}
            _ => _ = row.insert(field.to_owned(), json!(value)),
        }
    }
    let realm = name.rsplit_once('@').map_or("", |(_, realm)| realm);
    if let Some(kind) = super::realm::kind(call, realm) {
        row.insert("realm-type".to_owned(), json!(kind));
    }
    if full {
        let groups = cfg.groups.iter().filter(|(_, group)| group.members.contains(name));
        let groups: Vec<&str> = groups.map(|(group, _)| group.as_str()).collect();
        row.insert("groups".to_owned(), json!(groups.join(",")));
        let tokens = user
            .tokens
            .iter()
            .map(|(id, token)| super::token::row(id, token))
            .collect::<Vec<_>>();
        row.insert(
            "tokens".to_owned(),
            if tokens.is_empty() { Value::Null } else { json!(tokens) },
        );
    }
    row.insert("userid".to_owned(), json!(name));
    row.into_iter()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect()
}
