//! The key that signs the lab's repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{must, program};

/// A key pair in a folder of its own.
#[derive(Debug)]
pub struct Key {
    home: PathBuf,
}

impl Key {
    /// Makes a new key in this folder, which must not have one. Fails when gpg is missing or fails.
    pub fn make(home: &Path) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        fs::create_dir_all(home)?;
        fs::set_permissions(home, fs::Permissions::from_mode(0o700))?;
        let key = Self { home: home.to_owned() };
        let name = "The lab of Heeler <nobody@example.invalid>";
        must(&mut key.gpg([
            "--passphrase",
            "",
            "--quick-generate-key",
            name,
            "ed25519",
            "sign",
            "never",
        ]))?;
        fs::write(key.public(), "")?;
        must(key.gpg(["--yes", "--output"]).arg(key.public()).arg("--export"))?;
        Ok(key)
    }

    /// The public key in the form that `Signed-By` names.
    pub fn public(&self) -> PathBuf {
        self.home.join("public.gpg")
    }

    /// 40 hex digits. Fails when gpg does.
    pub fn fingerprint(&self) -> Result<String> {
        let shown = must(&mut self.gpg(["--with-colons", "--fingerprint"]))?;
        let line = shown.lines().find(|line| line.starts_with("fpr:"));
        let field = line.and_then(|line| line.split(':').nth(9));
        field.map(str::to_owned).context("gpg shows no fingerprint")
    }

    /// gpg with this key; it asks nothing.
    pub fn gpg<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut gpg = program(
            "gpg",
            ["--batch", "--quiet", "--pinentry-mode", "loopback", "--homedir"],
        );
        gpg.arg(&self.home).args(arguments);
        gpg
    }
}

impl Drop for Key {
    /// Ends the agent that gpg started for this folder.
    fn drop(&mut self) {
        let _ = program("gpgconf", ["--kill", "all"])
            .env("GNUPGHOME", &self.home)
            .output();
    }
}
