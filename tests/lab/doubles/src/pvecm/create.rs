//! `pvecm create`: a cluster of one node. It ends with 0 also when corosync does not start.

use std::collections::BTreeMap;
use std::io::Read;

use super::{CONF, KEY, certificates, links};
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::corosync::{self, members};
use crate::corosync_conf::{CorosyncConf, Node};
use crate::{program, task};

pub fn create(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let name = found.required("clustername")?;
    let mut problems = Vec::new();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        problems.push((
            "clustername",
            "invalid format - value does not look like a valid node name\n".to_owned(),
        ));
    }
    if name.len() > 15 {
        problems.push(("clustername", "value may only be 15 characters long".to_owned()));
    }
    if !problems.is_empty() {
        return Err(found.refuse(&problems));
    }
    let mut links = links::check(found)?;
    if call.place(CONF).exists() {
        return Err(Fault::died(format!("cluster config '{CONF}' already exists")));
    }
    if links.is_empty() {
        links.insert(0, (call.address().unwrap_or_default(), String::new()));
    }
    let number = |name| {
        found
            .arguments
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
    };
    let (addresses, priorities): (BTreeMap<_, _>, BTreeMap<_, _>) = links
        .into_iter()
        .map(|(link, (address, priority))| ((link, address), (link, priority)))
        .unzip();
    let conf = CorosyncConf {
        name: name.to_owned(),
        version: 1,
        nodes: vec![Node {
            name: call.node.clone(),
            id: number("nodeid"),
            votes: number("votes"),
            addresses,
        }],
        links: priorities,
    };
    task::run(call, "clustercreate", name, |call| make(call, &conf));
    Ok(())
}

fn make(call: &mut Call, conf: &CorosyncConf) -> Result<(), Fault> {
    certificates::prepare_ssh(call)?;
    call.out += "Corosync Cluster Engine Authentication key generator.\n\
                 Gathering 2048 bits for key from /dev/urandom.\n\
                 Writing corosync key to /etc/corosync/authkey.\n";
    call.write_here(KEY, &key()?)?;
    call.out += "Writing corosync config to /etc/pve/corosync.conf\n";
    call.write(CONF, &conf.text())?;
    call.write_here(corosync::CONF, &conf.text())?;
    call.out += "Restart corosync and cluster filesystem\n";
    members::unsettle(call);
    let restart = ["restart", "corosync", "pve-cluster"];
    let ran = program::run(call, "systemctl", &restart);
    call.err += &ran.err;
    if ran.code == 0 {
        return Ok(());
    }
    let (command, code) = (restart.join(" "), ran.code);
    Err(Fault::died(format!(
        "command 'systemctl {command}' failed: exit code {code}"
    )))
}

/// 256 random bytes in hexadecimal; the real key is no text.
fn key() -> Result<String, Fault> {
    let mut bytes = [0; 256];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|e| Fault::died(format!("cannot read /dev/urandom: {e}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
