//! Figures that are not a test's: how the coordinator grows with its agents.

use anyhow::Result;

use crate::run;

/// How many agents, when nobody says.
const SIZES: [usize; 3] = [10, 100, 1000];

/// Builds as for a release, and measures a coordinator with each of these numbers of agents.
pub fn fleet(sizes: &[usize]) -> Result<()> {
    let mut build = run::cargo();
    build.args(["build", "--quiet", "--locked", "--release"]);
    run::run(build.args(["--package", "heeler", "--package", "heeler-tests", "--bins"]))?;
    let built = run::target_dir().join("release");
    let mut bench = run::program(&built.join("bench-fleet").to_string_lossy());
    let sizes = if sizes.is_empty() { &SIZES } else { sizes };
    bench
        .arg(built.join("heeler"))
        .args(sizes.iter().map(ToString::to_string));
    run::run(&mut bench)
}
