//! Packages of the doubles of Proxmox's programs, with the names and dependencies of the real ones, and a signed
//! repository of them. What is in each package stands in `tests/lab/proxmox/`.

mod key;
mod package;
mod repository;
mod spoil;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{must, program};

pub use key::Key;
pub use repository::Repository;

/// Builds the doubles of this clone, and returns the program. Fails when the build fails.
pub fn doubles() -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut build = program(
        &cargo,
        ["build", "--quiet", "-p", "heeler-doubles", "--message-format", "json"],
    );
    let messages = must(build.arg("--manifest-path").arg(root))?;
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut built = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    built.next().context("cargo names no program of heeler-doubles")
}

/// Builds every package into `folder`/debian/pve and signs the list of them. Fails when a program is missing or fails.
pub fn build(folder: &Path, doubles: &Path, key: &Key) -> Result<Repository> {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("proxmox");
    let repository = Repository::at(folder)?;
    let mut recipes: Vec<PathBuf> = fs::read_dir(&recipes)
        .with_context(|| format!("cannot list {}", recipes.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    recipes.sort();
    for recipe in recipes {
        package::build(&recipe, doubles, key, &repository.pool())?;
    }
    repository.list()?;
    repository.sign(key, None)?;
    Ok(repository)
}
