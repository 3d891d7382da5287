//! Metadata of heeler-store's queries (.sqlx): with it a build checks SQL without a database.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{drift, run};

const STORE: &str = "coordinator/store";

/// Writes `.sqlx` from a fresh database with all migrations. With `check`, only compares.
pub fn run(check: bool) -> Result<()> {
    let temp = tempfile::tempdir()?;
    let database = temp.path().join("schema.db");
    for migration in run::files(&run::root().join("migrations"))? {
        apply(&database, &migration)?;
    }
    let fresh = temp.path().join("sqlx");
    fs::create_dir(&fresh)?;
    check_store(&database, &fresh)?;
    let fresh = drift::read(&fresh, "json")?;
    drift::settle(
        &run::root().join(STORE).join(".sqlx"),
        "json",
        &fresh,
        check,
        "cargo xtask sqlx",
    )
}

fn apply(database: &Path, migration: &Path) -> Result<()> {
    let sql = fs::File::open(migration).with_context(|| format!("could not open {}", migration.display()))?;
    let mut sqlite = run::program("sqlite3");
    sqlite.arg("-bail").arg(database).stdin(sql);
    run::run(&mut sqlite).with_context(|| format!("could not apply {} (apt-get install sqlite3?)", migration.display()))
}

/// The query macros write the metadata while the compiler runs them.
fn check_store(database: &Path, into: &Path) -> Result<()> {
    let sources = run::root().join(STORE).join("src/lib.rs");
    let now = fs::read(&sources).with_context(|| format!("could not read {}", sources.display()))?;
    fs::write(&sources, now)?;
    let mut cargo = run::cargo();
    cargo
        .args([
            "check",
            "--quiet",
            "--locked",
            "--package",
            "heeler-store",
            "--all-targets",
        ])
        .env("DATABASE_URL", format!("sqlite:{}", database.display()))
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", into);
    run::run(&mut cargo)
}
