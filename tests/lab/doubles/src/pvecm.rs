//! The double of `pvecm`: it makes, joins and changes a cluster, and shows what corosync sees.

mod add;
mod api;
pub mod certificates;
mod create;
mod finish;
mod joinable;
pub mod links;
pub mod nodes;
pub mod quorum;
mod ssh;

use crate::call::{Call, Fault};
use crate::commands::Program;
use crate::corosync::{self, members};

const NO_CLUSTER: &str =
    "Error: Corosync config '/etc/pve/corosync.conf' does not exist - is this node part of a cluster?";
/// The cluster's file, which all members share.
pub const CONF: &str = "/etc/pve/corosync.conf";
/// The secret of the cluster, on each member.
pub const KEY: &str = "/etc/corosync/authkey";

const PROGRAM: Program = Program {
    name: "pvecm",
    usage: include_str!("../usage/pvecm.txt"),
    aliases: &[("s", "status"), ("n", "nodes"), ("e", "expected")],
    options,
};

fn options(command: &str) -> &'static str {
    match command {
        "create" => {
            "link0 link1 link2 link3 link4 link5 link6 link7 nodeid votes token-coefficient bindnet0_addr ring0_addr"
        }
        "add" => "link0 link1 link2 link3 link4 link5 link6 link7 nodeid votes force fingerprint use_ssh",
        "addnode" => "link0 link1 link2 link3 link4 link5 link6 link7 nodeid votes force new_node_ip apiversion",
        "updatecerts" => "force silent unmerge-known-hosts",
        _ => "",
    }
}

pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    let found = PROGRAM.find(words)?;
    let is_member = call.place(CONF).exists();
    match found.command.as_str() {
        "apiver" => {
            call.out += "1\n";
            Ok(())
        }
        "status" | "nodes" | "expected" if !is_member => Err(Fault::new(2, NO_CLUSTER)),
        "status" => quorum::status(call),
        "nodes" => quorum::nodes(call),
        "expected" => {
            let votes = found.required("expected")?.parse();
            corosync::expect(
                call,
                votes.map_err(|_| Fault::died("400 Parameter verification failed."))?,
            )?;
            members::refresh(call);
            Ok(())
        }
        "create" => create::create(call, &found),
        "add" => add::add(call, &found),
        "addnode" => nodes::add(call, &found),
        "delnode" => nodes::delete(call, &found),
        "updatecerts" => certificates::update(call, &found.arguments),
        other => Err(Fault::died(format!("double of pvecm {other}: not built yet"))),
    }
}
