use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Files in memory: of the root file system, of a dataset, or from the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tree(BTreeMap<PathBuf, Node>);

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Node {
    Folder,
    File { bytes: Vec<u8>, mode: u32 },
    Link(PathBuf),
}

pub(super) fn missing(path: &Path) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("{}: No such file or directory", path.display()),
    )
}

impl Tree {
    /// Adds a file and the folders above it.
    pub(super) fn put(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.put_mode(path, bytes, 0o644);
    }

    pub(super) fn put_mode(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>, mode: u32) {
        let path = path.into();
        self.parents(&path);
        let bytes = bytes.into();
        self.0.insert(path, Node::File { bytes, mode });
    }

    /// All files, by path.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().filter_map(|(path, node)| match node {
            Node::File { bytes, .. } => Some((path.as_path(), bytes.as_slice())),
            Node::Folder | Node::Link(_) => None,
        })
    }

    /// Adds a link. The target is relative to the link's folder, or absolute.
    pub(super) fn link(&mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) {
        let path = path.into();
        self.parents(&path);
        self.0.insert(path, Node::Link(target.into()));
    }

    pub(super) fn is_link(&self, path: &Path) -> bool {
        matches!(self.0.get(path), Some(Node::Link(_)))
    }

    pub(super) fn folder(&mut self, path: impl Into<PathBuf>) {
        let path = path.into();
        self.parents(&path);
        self.0.entry(path).or_insert(Node::Folder);
    }

    fn parents(&mut self, path: &Path) {
        for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            self.0.entry(above.to_owned()).or_insert(Node::Folder);
        }
    }

    /// Resolves all symbolic links in the path.
    pub(super) fn canonical(&self, path: &Path) -> Result<PathBuf> {
        let mut at = PathBuf::from("/");
        let mut ahead: Vec<PathBuf> = vec![path.to_owned()];
        for _ in 0..400 {
            let Some(rest) = ahead.pop() else { return Ok(at) };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            ahead.push(parts.as_path().to_owned());
            match first {
                Component::RootDir => at = PathBuf::from("/"),
                Component::ParentDir => {
                    at.pop();
                }
                Component::Normal(name) => {
                    let next = at.join(name);
                    match self.0.get(&next) {
                        Some(Node::Link(target)) => ahead.push(target.clone()),
                        Some(_) => at = next,
                        None => return Err(missing(path)),
                    }
                }
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Err(Error::other(format!(
            "{}: Too many levels of symbolic links",
            path.display()
        )))
    }

    pub(super) fn node(&self, path: &Path) -> Result<&Node> {
        let found = self.canonical(path)?;
        self.0.get(&found).ok_or_else(|| missing(path))
    }

    pub(super) fn read(&self, path: &Path) -> Result<&[u8]> {
        match self.node(path)? {
            Node::File { bytes, .. } => Ok(bytes),
            Node::Folder | Node::Link(_) => Err(Error::new(
                ErrorKind::IsADirectory,
                format!("{}: Is a directory", path.display()),
            )),
        }
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        let bytes = self.read(Path::new(path)).ok()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn list(&self, path: &Path) -> Result<Vec<String>> {
        let folder = self.canonical(path)?;
        if matches!(self.0.get(&folder), Some(Node::File { .. })) {
            return Err(Error::new(
                ErrorKind::NotADirectory,
                format!("{}: Not a directory", path.display()),
            ));
        }
        let below = self.0.keys().filter(|key| key.parent() == Some(&folder));
        Ok(below
            .filter_map(|key| Some(key.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.0.retain(|key, _| !key.starts_with(path));
    }

    /// The total size of all files in bytes.
    pub(super) fn size(&self) -> u64 {
        let length = |node: &Node| match node {
            Node::File { bytes, .. } => bytes.len() as u64,
            Node::Folder | Node::Link(_) => 0,
        };
        self.0.values().map(length).sum()
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        self.canonical(path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.put("/sys/devices/pci/nvme0/serial", "S1\n");
        tree.link("/sys/block/nvme0n1", "../devices/pci/nvme0");
        tree
    }

    #[test]
    fn links_are_followed_in_the_middle_of_a_path() {
        let path = Path::new("/sys/block/nvme0n1/serial");
        assert_eq!(tree().read(path).expect("it is there"), b"S1\n");
        assert_eq!(
            tree().canonical(path).expect("it is there"),
            Path::new("/sys/devices/pci/nvme0/serial")
        );
    }

    #[test]
    fn a_folder_lists_its_own_names_only() {
        assert_eq!(tree().list(Path::new("/sys")).expect("a folder"), ["block", "devices"]);
        let found = tree().list(Path::new("/nowhere")).map_err(|error| error.kind());
        assert_eq!(found, Err(ErrorKind::NotFound));
    }

    #[test]
    fn a_link_to_itself_is_an_error() {
        let mut tree = Tree::default();
        tree.link("/a", "/a");
        assert!(tree.read(Path::new("/a")).is_err());
    }
}
