//! A signed repository in a folder, with the paths of Proxmox's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::key::Key;
use crate::run::{must, program};

/// Its suite.
pub const SUITE: &str = "trixie";
/// Its component.
pub const COMPONENT: &str = "pve-no-subscription";
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// A repository that apt reads from a folder or over HTTP.
#[derive(Debug)]
pub struct Repository {
    /// What `URIs` names.
    root: PathBuf,
}

impl Repository {
    /// A repository below a folder, as `debian/pve`. Fails when the folders cannot be made.
    pub fn at(folder: &Path) -> Result<Self> {
        let repository = Self {
            root: folder.join("debian/pve"),
        };
        fs::create_dir_all(repository.pool())?;
        for architecture in ARCHITECTURES {
            fs::create_dir_all(repository.suite().join(index(architecture)).with_file_name(""))?;
        }
        Ok(repository)
    }

    /// The folder that `URIs` names.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the packages.
    pub fn pool(&self) -> PathBuf {
        self.root.join("pool")
    }

    fn suite(&self) -> PathBuf {
        self.root.join("dists").join(SUITE)
    }

    /// Writes the lists of packages. Fails when a package cannot be read.
    pub fn list(&self) -> Result<()> {
        let mut packages: Vec<PathBuf> = fs::read_dir(self.pool())?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        packages.sort();
        let mut lists = [String::new(), String::new()];
        for package in packages {
            let control = must(program("dpkg-deb", ["--field"]).arg(&package))?;
            let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let entry = format!(
                "{control}Filename: pool/{name}\nSize: {}\nSHA256: {}\n\n",
                fs::metadata(&package)?.len(),
                sha256(&package)?
            );
            for (list, architecture) in lists.iter_mut().zip(ARCHITECTURES) {
                if name.ends_with("_all.deb") || name.ends_with(&format!("_{architecture}.deb")) {
                    list.push_str(&entry);
                }
            }
        }
        for (list, architecture) in lists.iter().zip(ARCHITECTURES) {
            fs::write(self.suite().join(index(architecture)), list)?;
        }
        Ok(())
    }

    /// Signs the lists, as often as wanted and with any key: a changed key and an old list are faults too.
    /// `valid_until`: a date as `date -u -R` prints it. Fails when gpg does.
    pub fn sign(&self, key: &Key, valid_until: Option<&str>) -> Result<()> {
        let date = must(&mut program("date", ["-u", "-R"]))?.replace("+0000", "UTC");
        let mut release = format!(
            "Origin: Proxmox\nLabel: Proxmox Debian Repository\nSuite: {SUITE}\nCodename: {SUITE}\nDate: {date}\
             Architectures: {}\nComponents: {COMPONENT}\n",
            ARCHITECTURES.join(" ")
        );
        if let Some(date) = valid_until {
            release += &format!("Valid-Until: {}\n", date.trim().replace("+0000", "UTC"));
        }
        release += "SHA256:\n";
        for architecture in ARCHITECTURES {
            let path = self.suite().join(index(architecture));
            let (hash, size) = (sha256(&path)?, fs::metadata(&path)?.len());
            release += &format!(" {hash} {size} {}\n", index(architecture));
        }
        let plain = self.suite().join("Release");
        fs::write(&plain, release)?;
        for (name, kind) in [("InRelease", "--clear-sign"), ("Release.gpg", "--detach-sign")] {
            let mut sign = key.gpg(["--yes", "--armor", kind, "--output"]);
            must(sign.arg(self.suite().join(name)).arg(&plain))?;
        }
        Ok(())
    }
}

/// The path of a list below the suite.
fn index(architecture: &str) -> String {
    format!("{COMPONENT}/binary-{architecture}/Packages")
}

fn sha256(path: &Path) -> Result<String> {
    let shown = must(program("sha256sum", ["--"]).arg(path))?;
    Ok(shown.split(' ').next().unwrap_or_default().to_owned())
}
