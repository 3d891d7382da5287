//! A node that is as it should be.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Case, R, Run};
use crate::herd::Herd;

pub(super) const CASES: &[Case] = &[Case {
    on: R,
    name: "a converged node: the plan is empty, apply changes nothing, status is green",
    run: Run::Herd(converged),
}];

fn converged(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(R)?;
    herd.apply(R)?;
    let before = Instant::now();
    let plan = herd.must(&["plan"])?;
    println!("    {R}: heeler plan took {:.2} s", before.elapsed().as_secs_f64());
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let tasks = herd.json(&["task", "list"], &[0])?;
    let again = herd.must(&["apply"])?;
    ensure!(again.contains("Nothing to change."), "{again}");
    ensure!(herd.json(&["task", "list"], &[0])? == tasks, "a task was handed out");
    let status = herd.json(&["status"], &[0])?;
    ensure!(status["light"] == "green", "{status}");
    Ok(())
}
