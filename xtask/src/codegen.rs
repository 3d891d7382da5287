//! Generates the wire contract's Rust code, and the schema of --json, from the .proto files, without protoc.
//!
//! The code is committed, so that a build needs no generator. CI generates it again and compares.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::documents::{self, Documents};
use crate::{bounds, documents_page, drift, run};

const CURE: &str = "cargo xtask codegen";
const READ: &str = "#[cfg_attr(feature = \"json\", derive(serde::Deserialize))]";

/// Generates `proto/src/gen`, one file a protobuf package, and `docs/json`; with `check`, only compares.
pub fn run(check: bool) -> Result<()> {
    let include = run::root().join("proto");
    let (code, schema) = generate(&include)?;
    drift::settle(&include.join("src/gen"), "rs", &code, check, CURE)?;
    let docs = run::root().join("docs/json");
    let text = documents::text(&schema);
    drift::settle(&docs, "json", &[("schema.json".to_owned(), text)].into(), check, CURE)?;
    let page = documents_page::page(&schema)?;
    drift::settle(&docs, "md", &[("README.md".to_owned(), page)].into(), check, CURE)
}

/// The code and the schema of the .proto files in a folder.
fn generate(include: &Path) -> Result<(drift::Files, Value)> {
    let sources = sources(include)?;
    ensure!(!sources.is_empty(), "no .proto file under {}", include.display());
    let mut compiler = protox::Compiler::new([include])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(&sources)
        .context("the .proto files do not compile")?;
    let pool = compiler.descriptor_pool();
    let found = Documents::find(&pool)?;

    let out = tempfile::tempdir()?;
    fs::write(out.path().join("bounds.rs"), bounds::code(&pool)?)?;
    let builder = tonic_prost_build::configure()
        .build_transport(false)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .btree_map(".")
        // A secret's value must not appear in logs, so the message has no `Debug`.
        .skip_debug([".heeler.v1.SetSecretRequest"])
        // A backup begins with it, as JSON.
        .message_attribute("heeler.json.Backup", READ)
        .message_attribute("heeler.json.BackupFile", READ)
        .emit_rerun_if_changed(false)
        .out_dir(out.path());
    found
        .derive(builder)?
        .compile_fds(compiler.file_descriptor_set())
        .context("could not generate code from the .proto files")?;

    let generated = run::files(out.path())?;
    for path in &generated {
        let mut code = fs::read_to_string(path)?;
        let package = path.file_stem().unwrap_or_default().to_string_lossy();
        found.flatten(&package, &mut code)?;
        fs::write(path, code)?;
    }
    run::run(
        run::program("rustfmt")
            .arg("--config-path")
            .arg(run::root())
            .args(&generated),
    )?;
    Ok((drift::read(out.path(), "rs")?, found.schema()?))
}

fn sources(include: &Path) -> Result<Vec<PathBuf>> {
    let mut found = run::files(include)?;
    found.retain(|path| path.extension().is_some_and(|e| e == "proto"));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The .proto files with `text` put after `at`.
    fn changed(at: &str, text: &str) -> Result<(drift::Files, Value)> {
        let (from, to) = (run::root().join("proto"), tempfile::tempdir().unwrap());
        for source in sources(&from).unwrap() {
            let path = to.path().join(source.strip_prefix(&from).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let proto = fs::read_to_string(source).unwrap();
            fs::write(path, proto.replacen(at, &format!("{at}{text}"), 1)).unwrap();
        }
        generate(to.path())
    }

    #[test]
    fn a_new_field_is_in_the_code_and_the_schema() {
        let (code, schema) = changed("message Leg {", "\n// In mm.\noptional uint32 added = 99; ").unwrap();
        assert_eq!(schema["$defs"]["Leg"]["properties"]["added"]["description"], "In mm.");
        let (before, after) = code["heeler.v1.rs"].split_once("pub struct Leg {").unwrap();
        let (_, attributes) = before.rsplit_once("}\n").unwrap();
        assert!(
            attributes.contains("feature = \"json\", derive(serde::Serialize)"),
            "{attributes}"
        );
        let (fields, _) = after.split_once("\n}").unwrap();
        assert!(fields.contains("pub added: ") && !fields.contains("skip"), "{fields}");
    }

    #[test]
    fn a_key_that_would_be_there_twice_is_an_error() {
        let error = changed("message Note {", " string at_ms = 99; ").unwrap_err();
        assert_eq!(error.to_string(), "a key of heeler.v1.Event would be there twice");
    }

    #[test]
    fn a_message_that_holds_a_secret_has_no_json() {
        let (code, schema) = generate(&run::root().join("proto")).unwrap();
        assert!(schema["$defs"].get("SetSecretRequest").is_none());
        let (before, _) = code["heeler.v1.rs"]
            .split_once("pub struct SetSecretRequest {")
            .unwrap();
        let (_, attributes) = before.rsplit_once("}\n").unwrap();
        assert!(!attributes.contains("Serialize"), "{attributes}");
    }
}
