use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Folders that belong to the system, with everything below them: a dataset mounted there hides what the node needs to
/// boot, to be reached or to run guests (file-hierarchy(7); `/etc/pve` is Proxmox's own mount).
const OF_THE_SYSTEM: [&str; 15] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "lost+found",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
];
/// What of `/var` may be a mountpoint: Proxmox's local storage, and the data of containers.
const OF_VAR: [&str; 3] = ["/var/lib/vz", "/var/lib/containers", "/var/lib/docker"];
/// PATH_MAX of Linux, without the NUL.
const LONGEST: usize = 4095;

/// The `mountpoint` property of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mountpoint {
    /// Not mounted: the parent of volumes.
    None,
    /// An absolute path without `.`, `..`, `//` or a final `/`, outside the system's own folders.
    At(String),
}

impl Mountpoint {
    /// Reads `none` or a path. Fails for a path with `.`, `..`, `//`, a slash at its end or control characters, because
    /// it would be compared with others as text; for one of the system's folders; and for Heeler's own folder in a
    /// dataset.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let refused = |why: &str| Err(Invalid::new("mountpoint", format!("{text:?} {why}")));
        if text == "none" {
            return Ok(Self::None);
        }
        let Some(rest) = text.strip_prefix('/').filter(|rest| !rest.is_empty()) else {
            return refused("must be none or an absolute path");
        };
        let parts: Vec<&str> = rest.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return refused("is not the shortest form of its path");
        }
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return refused("is too long, or has control characters");
        }
        if parts.contains(&".heeler") {
            return refused("is where Heeler keeps its copies");
        }
        match parts.as_slice() {
            [first, ..] if OF_THE_SYSTEM.contains(first) => refused("belongs to the system"),
            ["var", ..] if !OF_VAR.iter().any(|open| *open == text || is_below(text, open)) => {
                refused("belongs to the system")
            }
            ["home"] | ["home", _] => refused("holds somebody's login"),
            _ => Ok(Self::At(text.to_owned())),
        }
    }
}

/// Whether the path, or the dataset's name, is inside `outer` and is not `outer` itself. Both have no `.`, `..`, `//` or final `/`.
pub fn is_below(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

impl TryFrom<String> for Mountpoint {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::new(&text)
    }
}

impl From<Mountpoint> for String {
    fn from(mountpoint: Mountpoint) -> Self {
        mountpoint.to_string()
    }
}

impl fmt::Display for Mountpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::At(path) => path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mountpoint_is_a_path_of_ones_own() {
        for path in [
            "/data",
            "/data/pve-files",
            "/srv/my files",
            "/var/lib/vz",
            "/home/pi/photos",
            "/mnt/é",
        ] {
            assert_eq!(Mountpoint::new(path), Ok(Mountpoint::At(path.into())));
        }
        assert_eq!(Mountpoint::new("none"), Ok(Mountpoint::None));
    }

    #[test]
    fn a_folder_of_the_system_is_no_mountpoint() {
        for path in [
            "/",
            "/etc",
            "/etc/pve",
            "/usr/local",
            "/var",
            "/var/lib",
            "/var/lib/dpkg",
            "/var/lib/vzdump",
            "/home",
            "/home/pi",
            "/root",
            "/boot/firmware",
            "/tmp/x",
            "/data/x/.heeler",
            "/data/.heeler/copies",
        ] {
            assert!(Mountpoint::new(path).is_err(), "{path}");
        }
    }

    #[test]
    fn one_path_has_one_spelling() {
        for path in [
            "/data/",
            "/data//x",
            "/data/./x",
            "/data/../etc",
            "data",
            "",
            "/da\nta",
            "legacy",
        ] {
            assert!(Mountpoint::new(path).is_err(), "{path:?}");
        }
    }
}
