//! Nothing with data on it is taken for blank, and a blank disk is proven blank.

use anyhow::{Result, ensure};

use super::{Case, Cost, L, Run};
use crate::fleet::Fleet;
use crate::machine::by_id;
use crate::node::NodeHandle;

pub(super) const CASES: &[Case] = &[
    Case {
        on: L,
        name: "data-blank-ext4: an ext4 whose first 4 MiB are zeroed never becomes a pool",
        cost: Cost::Seconds(60),
        run: Run::Fleet(|fleet| never_a_pool(fleet, EXT4)),
    },
    Case {
        on: L,
        name: "data-blank-text: text between the places of a look stops the creation, which names it",
        cost: Cost::Seconds(100),
        run: Run::Fleet(|fleet| never_a_pool(fleet, TEXT)),
    },
    Case {
        on: L,
        name: "data-blank-create: two blank disks are read in full before their pool is made",
        cost: Cost::Seconds(130),
        run: Run::Fleet(create),
    },
];

/// `$B` is the disk.
const EXT4: &str = "mkfs.ext4 -q -F $B; mount $B /mnt; cp -r /usr/share/doc /mnt/; umount /mnt; \
                    dd if=/dev/zero of=$B bs=1M count=4 conv=fsync status=none";
const TEXT: &str = "echo 'the only copy' | dd of=$B bs=1 seek=1234567890 conv=fsync,notrunc status=none";

fn disks(node: NodeHandle<'_>) -> Result<Vec<String>> {
    Ok(node.serials()?.iter().map(|serial| by_id(serial)).collect())
}

fn zero(node: NodeHandle<'_>) -> Result<()> {
    let wipe = |disk: &String| format!("blkdiscard -q -f -z {disk}; ");
    let script: String = disks(node)?.iter().map(wipe).collect();
    node.must(&format!("umount /mnt 2>/dev/null; {script}udevadm settle"))
        .map(drop)
}

/// Asserts that no pool is made over what `script` leaves on the second disk. The sampling look may miss it; reading
/// before the creation finds it.
fn never_a_pool(fleet: &mut Fleet<'_>, script: &str) -> Result<()> {
    fleet.have(L)?;
    let node = fleet.lab().node(L)?;
    let serials = node.serials()?;
    let b = by_id(&serials[1]);
    node.must(&format!(
        "set -e; B={b}; {{ {script}; }} >/dev/null; sync; udevadm settle"
    ))?;
    let before = node.disk(&serials[1]).hash()?;
    let outcome = refused(fleet, node).and_then(|()| {
        ensure!(node.disk(&serials[1]).hash()? == before, "the disk was written to");
        Ok(())
    });
    zero(node)?;
    outcome
}

fn refused(fleet: &Fleet<'_>, node: NodeHandle<'_>) -> Result<()> {
    let plan = fleet.plan(L)?;
    ensure!(plan.contains("BLOCKED") || plan.contains("looks blank"), "{plan}");
    let done = fleet.run(&["apply", "--yes", "--confirm", L, L])?;
    ensure!(done.code == 3, "apply ended with {}: {}", done.code, done.stdout);
    // Whether sampling or reading found it, the next plan names the place.
    let plan = fleet.plan(L)?;
    ensure!(plan.contains("BLOCKED") && plan.contains("at byte"), "{plan}");
    let pools = node.must("zpool list -H -o name 2>/dev/null || true")?;
    ensure!(pools.is_empty(), "there is a pool: {pools}");
    Ok(())
}

fn create(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    let node = fleet.lab().node(L)?;
    zero(node)?;
    let plan = fleet.plan(L)?;
    ensure!(plan.contains("looks blank") && plan.contains("every byte"), "{plan}");
    let read = |node: NodeHandle<'_>| -> Result<Vec<u64>> {
        let sectors = |disk: &String| {
            format!(
                "cut -d' ' -f3 <(tr -s ' ' </sys/class/block/$(basename $(readlink -f {disk}))/stat | sed 's/^ //'); "
            )
        };
        let script: String = disks(node)?.iter().map(sectors).collect();
        let said = node.must(&script)?;
        Ok(said.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    };
    let before = read(node)?;
    fleet.apply(L)?;
    let after = read(node)?;
    ensure!(before.len() == 2 && after.len() == 2, "{before:?} {after:?}");
    for (serial, (before, after)) in node.serials()?.iter().zip(before.iter().zip(&after)) {
        let bytes = (after - before) * 512;
        let size = node.disk(serial).size_bytes()?;
        ensure!(bytes >= size, "{bytes} of {size} bytes of {serial} were read");
    }
    node.must("zpool status -P data | grep -c nvme-QEMU | grep -qx 2")
        .map(drop)
}
