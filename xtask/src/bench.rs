//! Benchmarks that no test runs: the coordinator with its agents, and the agent on its node. Each command fails when
//! a figure misses its limit.

use std::path::PathBuf;

use anyhow::Result;

use crate::run;
use crate::size::{Machine, build_agent};

/// Numbers of agents, unless some are given.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Builds for release and measures a coordinator with each of these numbers of agents.
pub fn fleet(sizes: &[usize]) -> Result<()> {
    let built = build()?;
    let mut bench = run::program(&built.join("bench-fleet").to_string_lossy());
    let sizes = if sizes.is_empty() { &SIZES } else { sizes };
    bench
        .arg(built.join("heeler"))
        .args(sizes.iter().map(ToString::to_string));
    run::run(&mut bench)
}

/// Builds for release and attacks a coordinator. Fails unless other nodes' events are acknowledged within 1 s and
/// `heeler status` takes at most 0.5 s.
pub fn hostile() -> Result<()> {
    let built = build()?;
    run::run(run::program(&built.join("bench-hostile").to_string_lossy()).arg(built.join("heeler")))
}

/// Builds for release and measures the agent: a prune plan, `seconds` of idling, and a simulated year.
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
