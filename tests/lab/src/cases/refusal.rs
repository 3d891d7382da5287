//! A refusal, as seen from the command line and on the disks.

use anyhow::{Result, ensure};

use crate::fleet::Fleet;
use crate::node::NodeHandle;

/// Asserts that plan and apply stop with `words` and say what to type, whatever is confirmed, and that no disk is
/// written to.
pub(super) fn blocked(fleet: &Fleet<'_>, node: NodeHandle<'_>, words: &str) -> Result<()> {
    let serials = node.serials()?;
    let hashes = || -> Result<Vec<u64>> { serials.iter().map(|serial| node.disk(serial).hash()).collect() };
    node.must("sync")?;
    let before = hashes()?;
    let plan = fleet.plan(node.name())?;
    let said = plan.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for part in ["blocked", "-> ", &words.to_lowercase()] {
        ensure!(said.contains(part), "the plan does not say {part:?}: {plan}");
    }
    let done = fleet.run(&["apply", "--yes", "--confirm", node.name(), node.name()])?;
    ensure!(
        done.code == 3,
        "apply ended with {}: {}{}",
        done.code,
        done.stdout,
        done.stderr
    );
    ensure!(hashes()? == before, "a disk was written to");
    Ok(())
}
