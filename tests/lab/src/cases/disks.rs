//! Disks with content: each is refused with what was found, and not one byte changes.

use anyhow::{Context, Result, ensure};

use super::refusal::blocked;
use super::{Case, Cost, L, Run};
use crate::fleet::Fleet;
use crate::machine::by_id;
use crate::node::NodeHandle;

pub(super) const CASES: &[Case] = &[
    Case {
        on: L,
        name: "disk with ext4: refused, unchanged",
        cost: Cost::Seconds(30),
        run: Run::Fleet(|fleet| refused(fleet, "mkfs.ext4 -q -F $B", "ext4")),
    },
    Case {
        on: L,
        name: "disk with an empty GPT: refused, unchanged",
        cost: Cost::Seconds(30),
        run: Run::Fleet(|fleet| refused(fleet, "echo 'label: gpt' | sfdisk -q $B", "gpt")),
    },
    Case {
        on: L,
        name: "disk with LVM: refused, unchanged",
        cost: Cost::Seconds(40),
        run: Run::Fleet(|fleet| refused(fleet, "pvcreate -q -y $B", "LVM")),
    },
    Case {
        on: L,
        name: "disk with an exported pool's label: refused, unchanged",
        cost: Cost::Seconds(60),
        run: Run::Fleet(|fleet| refused(fleet, "zpool create foreign $B; zpool export foreign", "foreign")),
    },
    Case {
        on: L,
        name: "disk with a destroyed pool's label: refused, unchanged",
        cost: Cost::Seconds(60),
        run: Run::Fleet(|fleet| refused(fleet, "zpool create foreign $B; zpool destroy foreign", "foreign")),
    },
    Case {
        on: L,
        name: "disk with random bytes in its first MiB only: refused, unchanged",
        cost: Cost::Seconds(40),
        run: Run::Fleet(|fleet| {
            refused(
                fleet,
                "dd if=/dev/urandom of=$B bs=1M count=1 conv=fsync status=none",
                "data",
            )
        }),
    },
    Case {
        on: L,
        name: "disk with wiped headers and data in the middle: refused, unchanged",
        cost: Cost::Seconds(40),
        run: Run::Fleet(|fleet| {
            refused(
                fleet,
                "dd if=/dev/urandom of=$B bs=1M seek=1000 count=16 conv=fsync status=none",
                "data",
            )
        }),
    },
    Case {
        on: L,
        name: "mounted disk: refused, unchanged",
        cost: Cost::Seconds(30),
        run: Run::Fleet(|fleet| refused(fleet, "mkfs.ext4 -q -F $B; mount -o ro $B /mnt", "mounted")),
    },
    Case {
        on: L,
        name: "disk smaller than its mirror: refused, unchanged",
        cost: Cost::Seconds(40),
        run: Run::Fleet(smaller),
    },
    Case {
        on: L,
        name: "missing disk: refused, with the one that was probably meant",
        cost: Cost::Seconds(30),
        run: Run::Fleet(|fleet| named(fleet, "\"S6XNNS0W10OOO2\"", "is not in this node")),
    },
    Case {
        on: L,
        name: "one serial named twice: refused with its line",
        cost: Cost::Seconds(10),
        run: Run::Fleet(named_twice),
    },
    Case {
        on: L,
        name: "disk that holds the root file system: refused, unchanged",
        cost: Cost::Seconds(30),
        run: Run::Fleet(|fleet| named(fleet, "\"CARD0001\"", "/boot/firmware")),
    },
];

const A: &str = "S6XNNS0W100001";
const B: &str = "S6XNNS0W100002";

fn blank(node: NodeHandle<'_>) -> Result<()> {
    let wipe = |disk: String| format!("blkdiscard -q -f -z {disk}; ");
    let script = format!(
        "umount /mnt 2>/dev/null; {}{} udevadm settle",
        wipe(by_id(A)),
        wipe(by_id(B))
    );
    node.must(&script).map(drop)
}

/// Asserts that plan and apply both refuse the disk that `script` has made.
fn refused(fleet: &mut Fleet<'_>, script: &str, words: &str) -> Result<()> {
    fleet.have(L)?;
    let node = fleet.lab().node(L)?;
    node.must(&format!(
        "set -e; B={}; {{ {script}; }} >/dev/null; sync; udevadm settle",
        by_id(B)
    ))?;
    let outcome = stays(fleet, node, words);
    blank(node)?;
    outcome
}

/// Asserts that it is refused and no pool is made.
fn stays(fleet: &Fleet<'_>, node: NodeHandle<'_>, words: &str) -> Result<()> {
    blocked(fleet, node, words)?;
    let pools = node.must("zpool list -H -o name 2>/dev/null || true")?;
    ensure!(pools.is_empty(), "there is a pool: {pools}");
    Ok(())
}

/// Names another disk in place of B in heeler.toml.
fn named(fleet: &mut Fleet<'_>, serial: &str, words: &str) -> Result<()> {
    fleet.have(L)?;
    let node = fleet.lab().node(L)?;
    let b = format!("\"{B}\"");
    fleet.edit(&b, serial)?;
    let outcome = stays(fleet, node, words);
    fleet.edit(serial, &b)?;
    outcome
}

fn smaller(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    let node = fleet.lab().node(L)?;
    node.remove_disk(B)?;
    node.add_disk_sized("SMALL0001", 1 << 30)?;
    node.wait_disk("SMALL0001")?;
    let outcome = named(fleet, "\"SMALL0001\"", "smaller than its mirror");
    node.remove_disk("SMALL0001")?;
    node.add_disk(B)?;
    node.wait_disk(B)?;
    outcome
}

fn named_twice(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    let (a, b) = (format!("\"{A}\""), format!("\"{B}\""));
    fleet.edit(&b, &a)?;
    let done = fleet.run(&["plan", L])?;
    let path = fleet.config().join("heeler.toml");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replace(&format!("{a}, {a}"), &format!("{a}, {b}")))?;
    ensure!(
        done.code == 1 && done.stderr.contains("heeler.toml:") && done.stderr.contains(A),
        "{}",
        done.stderr
    );
    fleet.plan(L).context("heeler.toml was not restored").map(drop)
}
