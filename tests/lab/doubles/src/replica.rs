//! Changes of files. What changes below `/etc/pve` changes on all members that are online, as pmxcfs does it.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::call::{Call, Fault};
use crate::pmxcfs::TREE;

impl Call {
    /// Writes a file whole: a reader never sees half of it.
    pub fn write(&self, path: &str, text: &str) -> std::result::Result<(), Fault> {
        if path.starts_with("/etc/pve/") && self.is_read_only() {
            let new = format!("{path}.tmp.{}", std::process::id());
            return Err(unwritable(&new, &std::io::Error::from_raw_os_error(13)));
        }
        self.write_here(path, text)?;
        for other in self.replicas(path) {
            other.write_here(path, text)?;
        }
        Ok(())
    }

    /// Writes a file on this machine alone.
    pub fn write_here(&self, path: &str, text: &str) -> std::result::Result<(), Fault> {
        let place = self.store(path);
        let new = format!("{path}.tmp.{}", std::process::id());
        let folder = place.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(self.store(&new), text))
            .and_then(|()| fs::rename(self.store(&new), &place))
            .map_err(|e| unwritable(&new, &e))
    }

    /// Removes a file; it need not be there.
    pub fn remove(&self, path: &str) {
        for machine in self.replicas(path).iter().chain([self]) {
            let _ = fs::remove_file(machine.store(path));
        }
    }

    /// Makes a folder and those above it.
    pub fn make_folder(&self, path: &str) -> Result<()> {
        let all = self.replicas(path);
        all.iter()
            .chain([self])
            .try_for_each(|m| fs::create_dir_all(m.store(path)))
    }

    /// Where a file is kept: below `/etc/pve` in the folder that is bound there, so that others may be kept from writing.
    pub fn store(&self, path: &str) -> PathBuf {
        let below = path.strip_prefix("/etc/pve/");
        below.map_or_else(|| self.place(path), |below| self.place(TREE).join(below))
    }

    /// Other machines that hold a copy of this path.
    fn replicas(&self, path: &str) -> Vec<Self> {
        let members = if path.starts_with("/etc/pve/") {
            self.members()
        } else {
            Value::Null
        };
        let mut online = online(&members).into_iter();
        let neighbours = online.by_ref().filter_map(|(name, _)| self.neighbour(&name));
        neighbours
            .filter(|other| other.place("/etc/pve/.version").exists())
            .collect()
    }

    /// The member with the lowest number that is online; none on a node that stands alone.
    pub fn first_member(&self) -> Option<Self> {
        let first = online(&self.members()).into_iter().min_by_key(|(_, id)| *id)?;
        self.neighbour(&first.0)
    }

    /// Takes over everything that another member has.
    pub fn copy_from(&self, other: &Self) -> Result<()> {
        copy(&other.place(TREE), &self.place(TREE))
    }
}

/// Members that are online: name and number.
fn online(members: &Value) -> Vec<(String, u64)> {
    let all = members["nodelist"].as_object().into_iter().flatten();
    let online = all.filter(|(_, member)| member["online"].as_u64() == Some(1));
    online
        .map(|(name, member)| (name.clone(), member["id"].as_u64().unwrap_or(0)))
        .collect()
}

/// Files and folders; links and hidden files are a node's own.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_symlink() || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Perl's text and exit code of a file that cannot be written.
fn unwritable(path: &str, error: &std::io::Error) -> Fault {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let code = error.raw_os_error().and_then(|code| u8::try_from(code).ok());
    Fault::new(code.unwrap_or(255), format!("unable to open file '{path}' - {text}"))
}
