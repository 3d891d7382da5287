//! Generates the wire contract's Rust code from its .proto files, without protoc.
//!
//! The code is committed, so that a build needs no generator. CI generates it again and compares.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{drift, run};

/// Generates `proto/src/gen`, one file a protobuf package; with `check`, only compares.
pub fn run(check: bool) -> Result<()> {
    let include = run::root().join("proto");
    let mut sources = Vec::new();
    collect(&include, &mut sources)?;
    sources.sort();
    ensure!(!sources.is_empty(), "no .proto file under {}", include.display());
    let set = protox::compile(&sources, [&include]).context("the .proto files do not compile")?;

    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_transport(false)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .type_attribute(".", "#[derive(serde::Serialize)]")
        .btree_map(".")
        // A secret's value must not appear in logs, so the message has no `Debug`.
        .skip_debug([".heeler.v1.SetSecretRequest"])
        .emit_rerun_if_changed(false)
        .out_dir(out.path())
        .compile_fds(set)
        .context("could not generate code from the .proto files")?;

    let generated = fs::read_dir(out.path())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    run::run(
        run::program("rustfmt")
            .arg("--config-path")
            .arg(run::root())
            .args(&generated),
    )?;

    let fresh = drift::read(out.path(), "rs")?;
    drift::settle(&include.join("src/gen"), "rs", &fresh, check, "cargo xtask codegen")
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("could not list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            found.push(path);
        }
    }
    Ok(())
}
