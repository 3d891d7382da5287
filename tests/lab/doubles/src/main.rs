//! Doubles of Proxmox's programs for the virtual machines of the lab. One binary acts as the program by whose name it is
//! called. The recordings in `transcripts/` are the yardstick: texts, streams and exit codes, wrong ones included.

mod arguments;
mod call;
mod commands;
mod corosync;
mod corosync_conf;
mod daemon;
mod lock;
mod network;
mod node_tools;
mod output;
mod pmxcfs;
mod program;
mod pvecm;
mod pvesh;
mod pvesm;
mod pveum;
mod qm;
mod replica;
mod storage_cfg;
mod switches;
mod task;
mod user_cfg;

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use call::{Call, Fault};

fn main() -> ExitCode {
    let mut words: Vec<String> = env::args().collect();
    if !is_double(&name_of(&words)) && words.len() > 1 {
        words.remove(0);
    }
    let name = name_of(&words);
    let mut call = Call::from_environment();
    let arguments = words.get(1..).unwrap_or_default();
    let outcome = run(&name, &mut call, arguments);
    let code = outcome.map_or_else(|fault| call.fail(&fault), |()| 0);
    let code = call.exit_code(&name, code);
    // A reader such as `head` may have gone: the real programs do not mind either.
    call.flush();
    let _ = std::io::stderr().write_all((call.err + &call.late).as_bytes());
    ExitCode::from(code)
}

fn run(name: &str, call: &mut Call, arguments: &[String]) -> Result<(), Fault> {
    if !is_double(name) {
        return Err(Fault::new(127, format!("no double is named '{name}'")));
    }
    match name {
        "pmxcfs" => return pmxcfs::run(call, arguments),
        "corosync" => return corosync::run(call, arguments),
        name if name.starts_with("corosync-") => return corosync::tools::run(call, name, arguments),
        "pvedaemon" | "pveproxy" | "pvestatd" => return daemon::run(call, name),
        "pveversion" => return node_tools::run(call, name, arguments),
        _ => corosync::members::refresh(call),
    }
    pmxcfs::follow_quorum(call);
    if name == "pveum" && !call.is_root {
        return Err(Fault::new(2, "please run as root"));
    }
    call.be_slow(name);
    call.reach_pmxcfs()?;
    call.fail_if_asked(name)?;
    match name {
        "pveum" => pveum::run(call, arguments),
        "pvesm" => pvesm::run(call, arguments),
        "pvesh" => pvesh::run(call, arguments),
        "pvecm" => pvecm::run(call, arguments),
        "qm" => qm::run(call, arguments),
        "ha-manager" | "pvenode" => node_tools::run(call, name, arguments),
        _ => Err(Fault::died(format!("double of {name}: not built yet"))),
    }
}

fn is_double(name: &str) -> bool {
    matches!(
        name,
        "corosync"
            | "corosync-cfgtool"
            | "corosync-cmapctl"
            | "corosync-quorumtool"
            | "ha-manager"
            | "pmxcfs"
            | "pvedaemon"
            | "pvenode"
            | "pveproxy"
            | "pvestatd"
            | "pveum"
            | "pveversion"
            | "pvesm"
            | "pvesh"
            | "pvecm"
            | "qm"
    )
}

fn name_of(words: &[String]) -> String {
    let first = words.first().map(Path::new);
    first
        .and_then(Path::file_name)
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}
