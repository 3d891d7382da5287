//! Checks the lab itself: each fault does what it claims.

use anyhow::{Result, ensure};

use super::{Case, Cost, Run, X};
use crate::lab::Lab;
use crate::machine::{Network, by_id};

pub(super) const CASES: &[Case] = &[
    Case {
        on: X,
        name: "a power cut loses what was not written and nothing else",
        cost: Cost::Seconds(90),
        run: Run::Machines(power_cut),
    },
    Case {
        on: X,
        name: "a pulled disk leaves the node, and returns with its content",
        cost: Cost::Seconds(10),
        run: Run::Machines(pulled_disk),
    },
    Case {
        on: X,
        name: "a pulled cable stops the network, and a plugged one restores it",
        cost: Cost::Seconds(10),
        run: Run::Machines(pulled_cable),
    },
];

fn power_cut(lab: &Lab) -> Result<()> {
    let node = lab.node(X)?;
    node.must("echo kept > /root/kept; sync; echo lost > /root/lost")?;
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    let found = node.must("cat /root/kept; cat /root/lost 2>/dev/null || true")?;
    ensure!(found == "kept\n", "after the cut the node has {found:?}");
    Ok(())
}

fn pulled_disk(lab: &Lab) -> Result<()> {
    let node = lab.node(X)?;
    let serial = &node.serials()?[1];
    let device = by_id(serial);
    node.must(&format!(
        "printf mark | dd of={device} seek=1000000 bs=1 conv=fsync status=none"
    ))?;
    let before = node.disk(serial).hash()?;
    node.remove_disk(serial)?;
    node.must(&format!("udevadm settle; ! [ -e {device} ]"))?;
    node.add_disk(serial)?;
    node.wait_disk(serial)?;
    let mark = node.must(&format!("dd if={device} skip=1000000 count=4 bs=1 status=none"))?;
    ensure!(mark == "mark", "the returned disk reads {mark:?}");
    ensure!(node.disk(serial).hash()? == before, "looking at the disk changed it");
    node.disk(serial).write(1_000_000, &[0; 4])
}

fn pulled_cable(lab: &Lab) -> Result<()> {
    let node = lab.node(X)?;
    node.link(Network::Lan, false)?;
    let quick = "ConnectTimeout=3";
    let config = crate::keys::Who::Lab.config(lab.folder());
    let silent = !lab
        .command("/usr/bin/ssh", ["-F"])
        .arg(config)
        .args(["-o", quick, "-o", "ControlPath=none", node.name(), "true"])
        .output()?
        .status
        .success();
    node.link(Network::Lan, true)?;
    node.wait_ssh()?;
    ensure!(silent, "ssh went through a pulled cable");
    Ok(())
}
