//! Three nodes that are as they should be.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Case, Run};
use crate::herd::Herd;
use crate::machine::NAMES;

pub(super) const CASES: &[Case] = &[Case {
    name: "a converged herd: the plan is empty within two seconds, apply changes nothing, status is green",
    run: Run::Herd(converged),
}];

/// The figure that a person notices; the best of some plans, for the machine under the lab has other work too.
const PLAN_SECONDS: f64 = 2.0;
const PLANS: usize = 5;

fn converged(herd: &mut Herd<'_>) -> Result<()> {
    for name in NAMES {
        herd.have(name)?;
        herd.apply(name)?;
    }
    let mut best = f64::INFINITY;
    for _ in 0..PLANS {
        let before = Instant::now();
        let plan = herd.must(&["plan"])?;
        best = best.min(before.elapsed().as_secs_f64());
        ensure!(plan.contains("Nothing to change."), "{plan}");
    }
    println!("    heeler plan on three nodes: {best:.2} s");
    ensure!(best <= PLAN_SECONDS, "the quickest of {PLANS} plans took {best:.2} s");
    let again = herd.must(&["apply"])?;
    ensure!(again.contains("Nothing to change."), "{again}");
    let status = herd.json(&["status"], &[0])?;
    ensure!(status["light"] == "green", "{status}");
    Ok(())
}
