//! What prevents the creation of a pool, and what an interrupted creation leaves.

use anyhow::{Result, ensure};

use super::refusal::blocked;
use super::{Case, Cost, Run, X};
use crate::fleet::Fleet;
use crate::machine::by_id;
use crate::node::NodeHandle;

pub(super) const CASES: &[Case] = &[
    Case {
        on: X,
        name: "two pools of one name: neither is taken, none is made",
        cost: Cost::Seconds(70),
        run: Run::Fleet(two_of_one_name),
    },
    Case {
        on: X,
        name: "a power cut during zpool create: explained, erased with consent, created",
        cost: Cost::Seconds(410),
        run: Run::Fleet(cut_create),
    },
];

fn two_of_one_name(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    let node = fleet.lab().node(X)?;
    let disks: Vec<String> = node.serials()?.iter().map(|serial| by_id(serial)).collect();
    let make = |disk: &String| format!("zpool create data {disk}; zpool export data; ");
    node.must(&format!("set -e; {}{}", make(&disks[0]), make(&disks[1])))?;
    let outcome = blocked(fleet, node, "is not imported");
    let wipe = |disk: &String| format!("blkdiscard -q -f -z {disk}; ");
    node.must(&format!("{}{}udevadm settle", wipe(&disks[0]), wipe(&disks[1])))?;
    outcome
}

/// Cuts the power when the first disk has a partition table but no label yet, which can be seen from outside.
fn cut_create(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    let node = fleet.lab().node(X)?;
    let serials = node.serials()?;
    let mut applying = fleet.start(&["apply", "--yes", "--confirm", X, X])?;
    while !partitioned(node, &serials)? {
        ensure!(
            applying.try_wait()?.is_none(),
            "apply ended before a disk was written to"
        );
    }
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    fleet.wait_connected(X)?;
    let code = applying.wait()?.code();
    node.must("[ -z \"$(zpool import 2>&1 | grep -w ONLINE)\" ] && ! zpool list data")?;
    let plan = fleet.plan(X)?;
    ensure!(
        code == Some(3) && plan.contains("BLOCKED") && plan.contains("half-made by Heeler"),
        "apply ended with {code:?}: {plan}"
    );
    let erase = |serial: &&String| plan.contains(&format!("heeler disk erase {serial}"));
    let made: Vec<&String> = serials.iter().filter(erase).collect();
    ensure!(!made.is_empty(), "the plan names no disk to erase: {plan}");
    println!("    {X}: half-made on {made:?}");
    for serial in made {
        fleet.must(&["disk", "erase", serial, "--confirm", serial])?;
    }
    fleet.apply(X)?;
    node.must("zpool status -P data | grep -c nvme-QEMU | grep -qx 2 && findmnt -t zfs /data/pve-files")
        .map(drop)
}

/// Whether one of the disks has a GPT.
fn partitioned(node: NodeHandle<'_>, serials: &[String]) -> Result<bool> {
    let signature = |serial: &String| node.disk(serial).read(512, 8);
    let found: Vec<Vec<u8>> = serials.iter().map(signature).collect::<Result<_>>()?;
    Ok(found.iter().any(|bytes| bytes == b"EFI PART"))
}
