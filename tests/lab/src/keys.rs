//! The two SSH keys of a lab, and how `ssh` reaches its nodes by name.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::machine::Node;
use crate::run::{must, program};
use crate::seed::USER;

/// Whose key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The person, user `pi`, who must use sudo.
    Person,
    /// The lab itself, as root.
    Lab,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Lab => "lab",
        }
    }

    /// Path of the configuration file for `ssh -F`.
    pub fn config(self, folder: &Path) -> PathBuf {
        folder.join("ssh").join(format!("{}.config", self.name()))
    }
}

/// Makes missing keys, both configurations, and an `ssh` that always uses the person's configuration. First in PATH, it
/// gives a program under test what a person's own ssh gives at home. Fails when a file cannot be written.
pub fn prepare(folder: &Path, nodes: &[Node]) -> Result<()> {
    let here = folder.join("ssh");
    fs::create_dir_all(&here)?;
    let lines = lines(folder)?;
    for who in [Who::Person, Who::Lab] {
        let key = here.join(who.name());
        if !key.exists() {
            must(program("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", who.name(), "-f"]).arg(&key))?;
        }
        fs::write(who.config(folder), config(who, &here, &lines, nodes))?;
    }
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    let wrapper = bin.join("ssh");
    fs::write(
        &wrapper,
        format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F '{}' \"$@\"\n",
            Who::Person.config(folder).display()
        ),
    )?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The public key, one line. Fails when the keys are not prepared.
pub fn public(folder: &Path, who: Who) -> Result<String> {
    let path = folder.join("ssh").join(format!("{}.pub", who.name()));
    Ok(fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .trim()
        .to_owned())
}

/// Folder for the sockets of shared connections. Its path is short, because a socket's path is limited (unix(7)).
fn lines(folder: &Path) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let lines = std::env::temp_dir().join(format!("heeler-lab-{:016x}", hasher.finish()));
    match fs::DirBuilder::new().mode(0o700).create(&lines) {
        // Another user may have made it first and would see the sockets in it.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let there = fs::symlink_metadata(&lines)?;
            let own = there.is_dir() && there.uid() == fs::metadata("/proc/self")?.uid() && there.mode() & 0o077 == 0;
            ensure!(own, "{} is not a folder of yours alone: remove it", lines.display());
            Ok(lines)
        }
        made => {
            made.with_context(|| format!("cannot make {}", lines.display()))?;
            Ok(lines)
        }
    }
}

fn config(who: Who, here: &Path, lines: &Path, nodes: &[Node]) -> String {
    let mut text = String::new();
    for node in nodes {
        text.push_str(&format!("Host {}\n  HostName {}\n", node.name, node.address()));
    }
    let key = here.join(who.name());
    text.push_str(&format!(
        "Host *\n  IdentityFile \"{}\"\n  IdentitiesOnly yes\n  ConnectTimeout 10\n",
        key.display()
    ));
    text.push_str(&match who {
        Who::Person => format!(
            "  User {USER}\n  UserKnownHostsFile \"{}\"\n  StrictHostKeyChecking accept-new\n",
            here.join("known_hosts").display()
        ),
        // An SSH handshake takes an emulated node a second, so the lab shares one connection.
        Who::Lab => format!(
            "  User root\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n  LogLevel ERROR\n  BatchMode yes\n\
             \x20 ServerAliveInterval 10\n  ServerAliveCountMax 3\n\
             \x20 ControlMaster auto\n  ControlPersist 60\n  ControlPath \"{}\"\n",
            lines.join("%n").display()
        ),
    });
    text
}
