//! Figures that are not a test's: what the coordinator costs with its agents, and an agent its node. Each command fails
//! when one of them is missed.

use std::path::PathBuf;

use anyhow::Result;

use crate::run;
use crate::size::{Machine, build_agent};

/// How many agents, when nobody says.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Builds as for a release, and measures a coordinator with each of these numbers of agents.
pub fn fleet(sizes: &[usize]) -> Result<()> {
    let built = build()?;
    let mut bench = run::program(&built.join("bench-fleet").to_string_lossy());
    let sizes = if sizes.is_empty() { &SIZES } else { sizes };
    bench
        .arg(built.join("heeler"))
        .args(sizes.iter().map(ToString::to_string));
    run::run(&mut bench)
}

/// Builds as for a release, and attacks a coordinator: other nodes' events are acknowledged within a second, and
/// `heeler status` takes half a second at most.
pub fn hostile() -> Result<()> {
    let built = build()?;
    run::run(run::program(&built.join("bench-hostile").to_string_lossy()).arg(built.join("heeler")))
}

/// Builds as for a release, and measures the agent: a prune plan, `seconds` of idling, and a simulated year.
pub fn prune(seconds: u64) -> Result<()> {
    let built = build()?;
    let agent = build_agent(Machine::X86_64)?;
    let mut bench = run::program(&built.join("bench-prune").to_string_lossy());
    bench
        .arg(built.join("heeler"))
        .args([agent.into_os_string(), seconds.to_string().into()]);
    let measured = run::run(&mut bench);
    run::run(&mut run::program(&built.join("bench-year").to_string_lossy()))?;
    measured
}

fn build() -> Result<PathBuf> {
    let mut build = run::cargo();
    build.args(["build", "--quiet", "--locked", "--release"]);
    run::run(build.args(["--package", "heeler", "--package", "heeler-tests", "--bins"]))?;
    Ok(run::target_dir().join("release"))
}
