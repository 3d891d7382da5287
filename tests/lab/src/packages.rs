//! Builds the Debian packages of this clone and copies them to a node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::lab::Lab;
use crate::node::NodeHandle;
use crate::run::{must, program};

/// Version that is installed first.
pub const OLD: &str = "0.0.9";
/// Version of the upgrade.
pub const NEW: &str = "0.1.0";

/// Packages of one version, built by `cargo xtask package --quick`.
#[derive(Debug)]
pub struct Packages {
    folder: PathBuf,
    version: String,
}

impl Packages {
    /// Builds them into the lab's folder, separately for each node. Fails when the build fails.
    pub fn build(lab: &Lab, node: NodeHandle<'_>, version: &str) -> Result<Self> {
        let folder = lab.folder().join("packages").join(node.name());
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let mut build = program(&cargo, ["run", "--quiet", "--package", "xtask", "--manifest-path"]);
        build
            .arg(root)
            .args(["--", "package", "--quick", "--version", version, "--out"]);
        // A debug build on an emulated card: compression with xz would take longer than everything else.
        build
            .env("DPKG_DEB_COMPRESSOR_TYPE", "gzip")
            .env("DPKG_DEB_COMPRESSOR_LEVEL", "1");
        must(build.arg(&folder).stdin(Stdio::null()))?;
        Ok(Self {
            folder,
            version: version.to_owned(),
        })
    }

    /// Copies a package to a node and returns its path there. Fails when it cannot be copied.
    pub fn put(&self, name: &str, node: NodeHandle<'_>) -> Result<String> {
        let start = format!("{name}_{}_", self.version);
        let mut entries = fs::read_dir(&self.folder)?.flatten();
        let package = entries.find(|entry| entry.file_name().to_string_lossy().starts_with(&start));
        let package = package.with_context(|| format!("no {start} in {}", self.folder.display()))?;
        let there = format!("/root/{name}_{}.deb", self.version);
        node.put(&package.path(), &there)?;
        Ok(there)
    }
}
