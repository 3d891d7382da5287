//! `pvecm add`: this node joins a cluster. It ends with 0 whatever happens in its task.

use std::fs;

use super::{api, joinable, links, ssh};
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::task;

pub fn add(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let host = found.required("hostname")?;
    let links = links::check(found)?;
    let inside = fs::canonicalize(call.place("/etc/pve")).ok();
    let here = std::env::current_dir().and_then(fs::canonicalize).ok();
    if here.zip(inside).is_some_and(|(here, inside)| here.starts_with(inside)) {
        let advice = "for example by running 'cd'.";
        return Err(Fault::died(format!(
            "Navigate out of /etc/pve before running 'pvecm add', {advice}"
        )));
    }
    let is_forced = found.arguments.is_set("force");
    task::run(call, "clusterjoin", "", |call| {
        if found.arguments.is_set("use_ssh") {
            joinable::check(call, &links, is_forced)?;
            ssh::join(call, host, &links)
        } else {
            let password = api::password(call, host)?;
            joinable::check(call, &links, is_forced)?;
            api::join(call, host, &password, found, &links)
        }
    });
    Ok(())
}
