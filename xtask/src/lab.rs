//! Starts the lab, which is a separate crate so that xtask builds fast.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::run::{cargo, root};

/// Replaces this process with `cargo run -p heeler-lab -- ARGUMENTS`, so that the lab's exit code is ours. Returns
/// only when that fails.
pub fn become_it(arguments: &[String]) -> Result<()> {
    let mut lab = cargo();
    lab.current_dir(std::env::current_dir()?);
    lab.args(["run", "--quiet", "--package", "heeler-lab", "--manifest-path"])
        .arg(root().join("Cargo.toml"));
    Err(lab.arg("--").args(arguments).exec()).context("cannot start cargo")
}
