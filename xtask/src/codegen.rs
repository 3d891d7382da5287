//! Generates the wire contract's Rust code, and the schema of --json, from the .proto files, without protoc.
//!
//! The code is committed, so that a build needs no generator. CI generates it again and compares.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use protox::prost_reflect::DescriptorPool;

use crate::documents::Documents;
use crate::{documents_page, drift, run};

const CURE: &str = "cargo xtask codegen";

/// Generates `proto/src/gen`, one file a protobuf package, and `docs/json`; with `check`, only compares.
pub fn run(check: bool) -> Result<()> {
    let include = run::root().join("proto");
    let mut sources = Vec::new();
    collect(&include, &mut sources)?;
    sources.sort();
    ensure!(!sources.is_empty(), "no .proto file under {}", include.display());
    let set = protox::compile(&sources, [&include]).context("the .proto files do not compile")?;
    let pool = DescriptorPool::from_file_descriptor_set(set.clone()).context("the .proto files do not fit together")?;
    let documents = Documents::find(&pool)?;

    let out = tempfile::tempdir()?;
    let builder = tonic_prost_build::configure()
        .build_transport(false)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .btree_map(".")
        // A secret's value must not appear in logs, so the message has no `Debug`.
        .skip_debug([".heeler.v1.SetSecretRequest"])
        .emit_rerun_if_changed(false)
        .out_dir(out.path());
    documents
        .derive(builder)?
        .compile_fds(set)
        .context("could not generate code from the .proto files")?;

    let generated = fs::read_dir(out.path())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    for path in &generated {
        let mut code = fs::read_to_string(path)?;
        let package = path.file_stem().unwrap_or_default().to_string_lossy();
        documents.flatten(&package, &mut code)?;
        fs::write(path, code)?;
    }
    run::run(
        run::program("rustfmt")
            .arg("--config-path")
            .arg(run::root())
            .args(&generated),
    )?;

    let fresh = drift::read(out.path(), "rs")?;
    drift::settle(&include.join("src/gen"), "rs", &fresh, check, CURE)?;

    let schema = documents.schema()?;
    let docs = run::root().join("docs/json");
    let text = serde_json::to_string_pretty(&schema)? + "\n";
    drift::settle(&docs, "json", &[("schema.json".to_owned(), text)].into(), check, CURE)?;
    let page = documents_page::page(&schema)?;
    drift::settle(&docs, "md", &[("README.md".to_owned(), page)].into(), check, CURE)
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
