//! A node that already matches heeler.toml.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[Case {
    on: R,
    name: "a converged node: the plan is empty, apply changes nothing, status is green",
    cost: Cost::Seconds(20),
    run: Run::Fleet(converged),
}];

fn converged(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(R)?;
    fleet.apply(R)?;
    let before = Instant::now();
    let plan = fleet.must(&["plan"])?;
    println!("    {R}: heeler plan took {:.2} s", before.elapsed().as_secs_f64());
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let tasks = fleet.json(&["task", "list"], &[0])?;
    let again = fleet.must(&["apply"])?;
    ensure!(again.contains("Nothing to change."), "{again}");
    ensure!(fleet.json(&["task", "list"], &[0])? == tasks, "a task was handed out");
    let status = fleet.json(&["status"], &[0])?;
    ensure!(status["light"] == "green", "{status}");
    Ok(())
}
