//! The end of a join, on the node that joins: its own database is put away, and it waits for a quorum without an end.

use std::fs;

use super::{KEY, certificates};
use crate::call::{Call, Fault};
use crate::corosync::view::View;
use crate::corosync::{self, members};
use crate::pmxcfs::TREE;
use crate::program;
use crate::switches::pause;

pub fn finish(call: &mut Call, key: &str, conf: &str) -> Result<(), Fault> {
    call.write_here(KEY, key)?;
    call.write_here(corosync::CONF, conf)?;
    call.out += "stopping pve-cluster service\n";
    program::run(call, "systemctl", &["stop", "pve-cluster"]);
    let backup = format!("/var/lib/pve-cluster/backup/config-{}.sql.gz", call.now());
    call.out += &format!("backup old database to '{backup}'\n");
    call.write_here(&backup, "the double keeps no database\n")?;
    let _ = fs::remove_dir_all(call.place(TREE));
    call.out += "waiting for quorum...";
    call.flush();
    program::run(call, "systemctl", &["start", "corosync", "pve-cluster"]);
    while !View::of(call).is_some_and(|view| view.is_quorate()) {
        pause(1);
    }
    members::settle(call);
    call.wait(4);
    call.out += "OK\n(re)generate node files\ngenerate new node certificate\n";
    certificates::write(call)?;
    call.out += "merge authorized SSH keys\n";
    certificates::prepare_ssh(call)?;
    call.out += "generated new node certificate, restart pveproxy and pvedaemon services\n";
    program::run(call, "systemctl", &["reload-or-restart", "pvedaemon", "pveproxy"]);
    call.out += &format!("successfully added node '{}' to cluster.\n", call.node);
    Ok(())
}
