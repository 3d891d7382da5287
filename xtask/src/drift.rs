//! A folder of generated files: write them, or compare them with the committed ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run;

/// File name → content.
pub type Files = BTreeMap<String, String>;

/// The files of `dir` with this extension; empty when there is no such folder.
pub fn read(dir: &Path, extension: &str) -> Result<Files> {
    let mut files = Files::new();
    let own = |path: &PathBuf| path.parent() == Some(dir) && path.extension().is_some_and(|e| e == extension);
    for path in run::files(dir)?.into_iter().filter(own) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        files.insert(name, text);
    }
    Ok(files)
}

/// Makes `dir` hold exactly `fresh` among its files with this extension. With `check`, writes nothing and fails when
/// they differ; `cure` is the command to type.
pub fn settle(dir: &Path, extension: &str, fresh: &Files, check: bool, cure: &str) -> Result<()> {
    let differences = differences(&read(dir, extension)?, fresh);
    if differences.is_empty() {
        println!("{}: {} files, as committed", dir.display(), fresh.len());
        return Ok(());
    }
    if check {
        bail!(
            "{} is out of date:\n  {}\nrun: {cure}",
            dir.display(),
            differences.join("\n  ")
        );
    }
    fs::create_dir_all(dir)?;
    for name in read(dir, extension)?.keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(dir.join(name))?;
    }
    for (name, text) in fresh {
        fs::write(dir.join(name), text)?;
    }
    println!("{}:\n  {}", dir.display(), differences.join("\n  "));
    Ok(())
}

fn differences(committed: &Files, fresh: &Files) -> Vec<String> {
    let gone = committed
        .keys()
        .filter(|name| !fresh.contains_key(*name))
        .map(|name| format!("gone: {name}"));
    let changed = fresh.iter().filter_map(|(name, text)| match committed.get(name) {
        None => Some(format!("new: {name}")),
        Some(old) if old != text => Some(format!("changed: {name}")),
        Some(_) => None,
    });
    gone.chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(of: &[(&str, &str)]) -> Files {
        of.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_check_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.rs"), "old").unwrap();
        fs::write(dir.path().join("b.rs"), "b").unwrap();
        let fresh = files(&[("a.rs", "new"), ("c.rs", "c")]);

        let error = settle(dir.path(), "rs", &fresh, true, "cargo xtask x")
            .unwrap_err()
            .to_string();

        assert!(error.contains("gone: b.rs") && error.contains("changed: a.rs") && error.contains("new: c.rs"));
        assert!(error.contains("cargo xtask x"));
        assert_eq!(
            read(dir.path(), "rs").unwrap(),
            files(&[("a.rs", "old"), ("b.rs", "b")])
        );
    }

    #[test]
    fn writing_replaces_only_its_own_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b.rs"), "b").unwrap();
        fs::write(dir.path().join("README.md"), "kept").unwrap();
        let fresh = files(&[("a.rs", "a")]);

        settle(dir.path(), "rs", &fresh, false, "").unwrap();

        assert_eq!(read(dir.path(), "rs").unwrap(), fresh);
        assert_eq!(read(dir.path(), "md").unwrap().len(), 1);
        settle(dir.path(), "rs", &fresh, true, "").unwrap();
    }
}
