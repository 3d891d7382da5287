//! What stands against a join; the real program calls it `assert_joinable`.

use std::fs;

use super::links::Links;
use super::{CONF, KEY};
use crate::call::{Call, Fault};
use crate::corosync;

/// Fails when this node may not join; everything that was found is printed.
pub fn check(call: &mut Call, links: &Links, is_forced: bool) -> Result<(), Fault> {
    let problems = problems(call, links);
    if problems.is_empty() {
        return Ok(());
    }
    let (heading, end) = if is_forced {
        ("warning, ignore the following errors:\n", Ok(()))
    } else {
        (
            "detected the following error(s):\n",
            Err(Fault::died("Check if node may join a cluster failed!")),
        )
    };
    call.out += heading;
    problems
        .iter()
        .for_each(|problem| call.out += &format!("* {problem}\n"));
    end
}

fn problems(call: &Call, links: &Links) -> Vec<String> {
    let mut all = Vec::new();
    if call.place(KEY).exists() {
        all.push(format!("authentication key '{KEY}' already exists"));
    }
    if call.place(CONF).exists() {
        all.push(format!("cluster config '{CONF}' already exists"));
    }
    let guests = ["qemu-server", "lxc"]
        .iter()
        .map(|kind| call.place(&format!("/etc/pve/nodes/{}/{kind}", call.node)));
    if guests.flat_map(fs::read_dir).any(|mut guests| guests.next().is_some()) {
        all.push("this host already contains virtual guests".to_owned());
    }
    if corosync::version(call).is_some() {
        all.push("corosync is already running, is this node already in a cluster?!".to_owned());
    }
    for (link, (address, _)) in links {
        if !call.has_address(address) {
            all.push(format!(
                "link{link}: cannot use IP '{address}', not found on local node!\n"
            ));
        }
    }
    all
}
