//! The double of `corosync`: it starts and ends, and knows which members it reaches. Nothing is sent over a network: each
//! node looks at the others' machines.

pub mod members;
pub mod tools;
pub mod view;

use crate::call::{Call, Fault};
use crate::corosync_conf::CorosyncConf;
use crate::pmxcfs;

/// Version of the file that a running corosync has loaded; missing when it does not run.
const RUNNING: &str = "/run/pve-doubles/corosync";
/// What `pvecm expected` set.
const EXPECTED: &str = "/run/pve-doubles/expected";
pub const CONF: &str = "/etc/corosync/corosync.conf";

/// Starts it; `stop` ends it. A unit calls it once and has no process to watch.
pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    if words.first().map(String::as_str) == Some("stop") {
        end(call);
    } else {
        start(call)?;
        // pmxcfs may run already, with less than the others have.
        if call.place("/etc/pve/.version").exists() {
            pmxcfs::follow(call).map_err(|e| Fault::died(format!("cannot follow the others: {e}")))?;
        }
    }
    members::refresh(call);
    Ok(())
}

fn start(call: &Call) -> Result<(), Fault> {
    end(call);
    let failed = |problem: &str| Fault::new(8, format!("[MAIN  ] {problem}"));
    let conf = configured(call).ok_or_else(|| failed("Can't read file /etc/corosync/corosync.conf"))?;
    let own = conf
        .node(&call.node)
        .ok_or_else(|| failed("parse error in config: No node is this machine"))?;
    let is_known = |address: &String| {
        let is_address = address.contains(':') || address.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let hosts = call.read("/etc/hosts").unwrap_or_default();
        is_address || hosts.split_whitespace().any(|word| word == address)
    };
    if let Some(unknown) = own.addresses.values().find(|address| !is_known(address)) {
        return Err(failed(&format!("failed to parse node address '{unknown}'")));
    }
    for other in call.neighbours() {
        let theirs = configured(&other).filter(|conf| conf.node(&call.node).is_some());
        if let (Some(theirs), Some(version)) = (theirs, version(&other))
            && theirs.name == conf.name
            && version > conf.version
        {
            let problem = format!("Received config version ({version}) is different than my config version");
            return Err(Fault::new(1, format!("[CMAP  ] {problem} ({})! Exiting", conf.version)));
        }
    }
    call.write_here(&format!("/var/lib/corosync/ringid_{}", own.id), "\0\0\0\0\0\0\0\0")?;
    call.write_here(RUNNING, &format!("{}\n", conf.version))
}

/// Ends it without a word, as when it is killed.
pub fn end(call: &Call) {
    for file in [RUNNING, EXPECTED] {
        let _ = std::fs::remove_file(call.place(file));
    }
}

/// Loads a new file into a running corosync.
pub fn load(call: &Call, conf: &CorosyncConf) -> Result<(), Fault> {
    call.write_here(CONF, &conf.text())?;
    if version(call).is_some() {
        end(call);
        call.write_here(RUNNING, &format!("{}\n", conf.version))?;
    }
    Ok(())
}

/// Lowers the votes that are expected, until the file changes.
pub fn expect(call: &Call, votes: u64) -> Result<(), Fault> {
    call.write_here(EXPECTED, &format!("{votes}\n"))
}

pub fn configured(call: &Call) -> Option<CorosyncConf> {
    CorosyncConf::parse(&call.read(CONF)?)
}

/// Version of the file that runs.
pub fn version(call: &Call) -> Option<u64> {
    call.read(RUNNING)?.trim().parse().ok()
}

fn expected(call: &Call) -> Option<u64> {
    call.read(EXPECTED)?.trim().parse().ok()
}
