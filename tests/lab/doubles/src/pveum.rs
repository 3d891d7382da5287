//! The double of `pveum`: users, groups, tokens, roles, realms and permissions.

mod acl;
mod group;
mod privileges;
mod realm;
mod role;
mod token;
mod user;

use crate::call::{Call, Fault};
use crate::commands::{Found, Program};
use crate::lock;
use crate::user_cfg::UserCfg;

const PROGRAM: Program = Program {
    name: "pveum",
    usage: include_str!("../usage/pveum.txt"),
    aliases: &[
        ("aclmod", "acl modify"),
        ("acldel", "acl delete"),
        ("useradd", "user add"),
        ("usermod", "user modify"),
        ("userdel", "user delete"),
        ("groupadd", "group add"),
        ("groupmod", "group modify"),
        ("groupdel", "group delete"),
        ("roleadd", "role add"),
        ("rolemod", "role modify"),
        ("roledel", "role delete"),
        ("user token remove", "user token delete"),
    ],
    options,
};

fn options(command: &str) -> &'static str {
    match command {
        "acl modify" | "acl delete" => "roles users groups tokens propagate",
        "user add" => "comment email enable expire firstname groups keys lastname password",
        "user modify" => "append comment email enable expire firstname groups keys lastname",
        "user list" => "enabled full",
        "user permissions" => "path",
        "user token add" | "user token modify" => "comment expire privsep",
        "user token permissions" => "path",
        "group add" | "group modify" | "pool add" => "comment",
        "role add" => "privs",
        "role modify" => "privs append",
        "realm add" | "realm modify" => "comment default type",
        _ => "",
    }
}

pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    let found = PROGRAM.find(words)?;
    let answer = match found.command.split_once(' ') {
        Some(("user", command)) if command.starts_with("token") => token::run(call, &found),
        Some(("user", _)) => user::run(call, &found),
        Some(("acl", _)) => acl::run(call, &found),
        Some(("group" | "pool", _)) => group::run(call, &found),
        Some(("role", _)) => role::run(call, &found),
        Some(("realm", _)) => realm::run(call, &found),
        _ => Err(not_built(&found)),
    }?;
    call.out += &answer;
    Ok(())
}

/// What no recording shows is refused, not invented.
fn not_built(found: &Found) -> Fault {
    Fault::died(format!("double of pveum {}: not built yet", found.command))
}

/// Changes user.cfg under the cluster's lock; an error says what was attempted.
fn change(
    call: &mut Call,
    attempted: &str,
    work: impl FnOnce(&mut UserCfg, &Call) -> Result<(), Fault>,
) -> Result<String, Fault> {
    let changed = || {
        let _lock = lock::take(call, "file-user_cfg")?;
        let mut cfg = UserCfg::load(call);
        work(&mut cfg, call)?;
        cfg.save(call)
    };
    changed().map_err(|fault| fault.while_doing(attempted))?;
    Ok(String::new())
}
