//! What is said about the data, and that advice followed literally neither loses nor hides any.

use anyhow::{Context, Result, ensure};

use super::pools::with_pool;
use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[
    Case {
        on: R,
        name: "data-renamed: a renamed dataset is renamed back, and no empty one hides its files",
        cost: Cost::Seconds(30),
        run: Run::Fleet(renamed),
    },
    Case {
        on: R,
        name: "data-properties: what creation sets is drift when it differs, and the pool is there after a power cut",
        cost: Cost::Seconds(160),
        run: Run::Fleet(properties),
    },
];

fn renamed(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    node.must("zfs rename data/pve-files data/old-files")?;
    let plan = fleet.plan(R)?;
    let back = "zfs rename data/old-files data/pve-files";
    // The screen breaks lines at its width.
    let words = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(words.contains("BLOCKED") && words.contains(back), "{plan}");
    let done = fleet.run(&["apply", "--yes", R])?;
    ensure!(done.code != 0, "it was applied: {}", done.stdout);
    ensure!(
        node.root("zfs list data/pve-files")?.code != 0,
        "an empty dataset was made over the data"
    );
    node.must(back)?;
    fleet.apply(R)?;
    ensure!(
        node.must("cat /data/pve-files/precious")? == "precious\n",
        "the data is not what it was"
    );
    Ok(())
}

fn properties(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    node.must(
        "zpool set cachefile=none data && zpool set autotrim=off data && zfs set compression=off data && \
         zfs set mountpoint=/srv/files data/pve-files",
    )?;
    let plan = fleet.plan(R)?;
    for word in ["cachefile", "autotrim", "compression", "mountpoint"] {
        ensure!(plan.contains(word), "{word} is no drift: {plan}");
    }
    fleet.apply(R)?;
    node.must("sync")?;
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    node.must("findmnt -t zfs /data/pve-files && zpool get -H -o value autotrim data | grep -x on")
        .context("after the power cut")?;
    ensure!(
        node.must("cat /data/pve-files/precious")? == "precious\n",
        "the data is not what it was"
    );
    let plan = fleet.plan(R)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    Ok(())
}
