//! Hands over to the lab, which has a crate of its own: xtask stays quick to build.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::run::{cargo, root};

/// Becomes `cargo run -p heeler-lab -- ARGUMENTS`, so that its exit code is ours. Returns only when it cannot.
pub fn become_it(arguments: &[String]) -> Result<()> {
    let mut lab = cargo();
    lab.current_dir(std::env::current_dir()?);
    lab.args(["run", "--quiet", "--package", "heeler-lab", "--manifest-path"])
        .arg(root().join("Cargo.toml"));
    Err(lab.arg("--").args(arguments).exec()).context("cannot start cargo")
}
