//! Faults of a repository: packages that break, and newer ones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::key::Key;
use super::repository::Repository;
use crate::run::{must, program};

impl Repository {
    /// The file of a package. Fails when there is none.
    pub fn package(&self, name: &str) -> Result<PathBuf> {
        let start = format!("{name}_");
        let files = fs::read_dir(self.pool())?.flatten().map(|entry| entry.path());
        let mut files = files.filter(|path| {
            let file = path.file_name().map(|file| file.to_string_lossy().into_owned());
            file.is_some_and(|file| file.starts_with(&start))
        });
        files
            .next()
            .with_context(|| format!("no package {name} in {}", self.root().display()))
    }

    /// Cuts a package in half, behind the back of the signed list: the mirror serves less than it promises. Fails when
    /// there is no such package.
    pub fn cut(&self, name: &str) -> Result<()> {
        let file = fs::File::options().write(true).open(self.package(name)?)?;
        file.set_len(file.metadata()?.len() / 2)?;
        Ok(())
    }

    /// A package whose configuration fails. Fails when there is no such package or dpkg-deb fails.
    pub fn break_configuration(&self, name: &str, key: &Key) -> Result<()> {
        self.rebuild(name, key, |tree| {
            let script = tree.join("DEBIAN/postinst");
            fs::write(&script, "#!/bin/sh\necho 'the lab breaks this package' >&2\nexit 1\n")?;
            must(program("chmod", ["755"]).arg(script))?;
            Ok(())
        })
    }

    /// The same package under another version. Fails when there is no such package or dpkg-deb fails.
    pub fn publish(&self, name: &str, version: &str, key: &Key) -> Result<()> {
        self.rebuild(name, key, |tree| {
            let control = tree.join("DEBIAN/control");
            let text = fs::read_to_string(&control)?;
            let line = |line: &str| match line.strip_prefix("Version: ") {
                Some(_) => format!("Version: {version}\n"),
                None => format!("{line}\n"),
            };
            Ok(fs::write(&control, text.lines().map(line).collect::<String>())?)
        })
    }

    /// Takes a package apart, changes it, puts it in the place of the old one, and signs the list again.
    fn rebuild(&self, name: &str, key: &Key, change: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let old = self.package(name)?;
        let work = tempfile::tempdir()?;
        must(program("dpkg-deb", ["--raw-extract"]).arg(&old).arg(work.path()))?;
        change(work.path())?;
        fs::remove_file(old)?;
        let mut build = program("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build"]);
        must(build.arg(work.path()).arg(self.pool()))?;
        self.list()?;
        self.sign(key, None)
    }
}
