//! Changes of a pool by hand: Heeler accepts them without a block, and names the right disk.

use anyhow::{Result, ensure};

use super::pools::with_pool;
use super::told::{BOUND, within};
use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;
use crate::machine::by_id;
use crate::node::NodeHandle;

pub(super) const CASES: &[Case] = &[
    Case {
        on: R,
        name: "data-hands-replaced: after zpool replace, and a log and a spare that came and went, the pool comes back whole",
        cost: Cost::Seconds(120),
        run: Run::Fleet(replaced),
    },
    Case {
        on: R,
        name: "data-hands-offline: an offline leg keeps its serial while another disk has its kernel name",
        cost: Cost::Seconds(30),
        run: Run::Fleet(offline),
    },
    Case {
        on: R,
        name: "data-hands-aliases: legs imported by partuuid are known, and never erased",
        cost: Cost::Seconds(20),
        run: Run::Fleet(aliases),
    },
];

const NEW: &str = "HANDS00001";
const HELPER: &str = "HANDS00002";

fn insert(node: NodeHandle<'_>, serial: &str) -> Result<()> {
    node.add_disk(serial)?;
    node.wait_disk(serial)
}

/// Plans and asserts that nothing is blocked. The look of the plan records the pool's current legs.
fn unblocked(fleet: &Fleet<'_>) -> Result<String> {
    let plan = fleet.plan(R)?;
    ensure!(!plan.contains("BLOCKED") && !plan.contains("IRREVERSIBLE"), "{plan}");
    Ok(plan)
}

fn precious(node: NodeHandle<'_>) -> Result<()> {
    node.must("zpool list -H -o health data | grep -x ONLINE && grep -x precious /data/pve-files/precious")
        .map(drop)
}

fn replaced(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let old = node.serials()?[1].clone();
    let guid = node.must("zpool list -H -o guid data")?;
    let outcome = replaced_and_back(fleet, node, &old, &guid);
    // The next cases need the disks as they were, however far this one came.
    let put_back = (|| {
        let _ = node.remove_disk(HELPER);
        let _ = insert(node, &old);
        node.must(&format!(
            "zpool import -d /dev/disk/by-id data 2>/dev/null; zpool remove data {} 2>/dev/null; \
             zpool status data | grep -q {NEW} || exit 0; zpool labelclear -f {}; udevadm settle; \
             zpool replace -f data {} {} && zpool wait -t replace,resilver data",
            leg(HELPER),
            leg(&old),
            leg(NEW),
            by_id(&old)
        ))?;
        let _ = node.remove_disk(NEW);
        fleet.edit(NEW, &old)
    })();
    outcome?;
    put_back?;
    unblocked(fleet).map(drop)
}

fn leg(serial: &str) -> String {
    format!("{}-part1", by_id(serial))
}

fn replaced_and_back(fleet: &Fleet<'_>, node: NodeHandle<'_>, old: &str, guid: &str) -> Result<()> {
    insert(node, NEW)?;
    insert(node, HELPER)?;
    let (new, helper) = (by_id(NEW), by_id(HELPER));
    node.must(&format!("zpool add -f data log {helper} && udevadm settle"))?;
    fleet.plan(R)?;
    node.must(&format!("zpool remove data {}; zpool wait -t remove data", leg(HELPER)))?;
    // udev still reads a cleared disk for a moment, and zpool cannot partition a disk that is read.
    node.must(&format!(
        "zpool labelclear -f {}; udevadm settle; zpool add -f data spare {helper} && udevadm settle",
        leg(HELPER)
    ))?;
    fleet.plan(R)?;
    node.must(&format!("zpool remove data {}", leg(HELPER)))?;
    node.must(&format!(
        "zpool replace data {} {new} && zpool wait -t replace,resilver data",
        leg(old)
    ))?;
    fleet.edit(old, NEW)?;
    let plan = unblocked(fleet)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let listed = fleet.must(&["disk", "list", R, "--width", "200"])?;
    let holds = |serial: &str| {
        listed
            .lines()
            .any(|line| line.contains(serial) && line.contains("data"))
    };
    ensure!(holds(NEW) && !holds(HELPER), "{listed}");
    node.must("zpool export data")?;
    node.remove_disk(old)?;
    node.remove_disk(HELPER)?;
    unblocked(fleet)?;
    fleet.apply(R)?;
    ensure!(
        node.must("zpool list -H -o guid data")? == guid,
        "another pool came back"
    );
    precious(node)
}

fn offline(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let serials = node.serials()?;
    let (kept, lost) = (&serials[0], &serials[1]);
    // From here on the pool stores kernel names, which can move to another disk.
    node.must("zpool export data && zpool import -d /dev data")?;
    unblocked(fleet)?;
    let name = node.must(&format!("readlink -f {}", leg(lost)))?;
    let name = name.trim();
    let outcome = (|| {
        node.must(&format!("zpool offline data {name}"))?;
        node.remove_disk(lost)?;
        insert(node, NEW)?;
        let moved = node.must(&format!("readlink -f {}", by_id(NEW)))?;
        ensure!(name.starts_with(moved.trim()), "{NEW} is {moved}, not {name}");
        let texts = within(fleet, BOUND, |pool, _| pool == "DEGRADED")?;
        ensure!(texts.contains(lost) && !texts.contains(NEW), "{texts}");
        ensure!(texts.contains("Do NOT pull") && texts.contains(kept), "{texts}");
        Ok(())
    })();
    let _ = node.remove_disk(NEW);
    let _ = insert(node, lost);
    let put_back = node.must(&format!(
        "zpool online data {name}; zpool wait -t resilver data; zpool export data && zpool import -d /dev/disk/by-id data"
    ));
    outcome?;
    put_back?;
    precious(node)
}

fn aliases(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    node.must("zpool export data && zpool import -d /dev/disk/by-partuuid data")?;
    let outcome = (|| {
        unblocked(fleet)?;
        within(fleet, BOUND, |pool, _| pool == "ok")?;
        for serial in node.serials()? {
            let done = fleet.run(&["disk", "erase", &serial, "--confirm", &serial])?;
            ensure!(done.code != 0, "it was erased: {}", done.stdout);
        }
        precious(node)
    })();
    node.must("zpool export data && zpool import -d /dev/disk/by-id data")?;
    outcome
}
