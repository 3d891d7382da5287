//! `/etc/pve/storage.cfg` in Proxmox's own format.

use std::collections::BTreeMap;

use crate::call::{Call, Fault};

const PATH: &str = "/etc/pve/storage.cfg";
const DEFAULT_CONTENT: &str = "images,rootdir";

/// One storage.
#[derive(Debug, Clone)]
pub struct Storage {
    /// `dir`, `zfspool`, …
    pub kind: String,
    pub id: String,
    pub fields: BTreeMap<String, String>,
}

impl Storage {
    pub fn new(kind: &str, id: &str, fields: &[(&str, &str)]) -> Self {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            fields: fields.iter().map(field).collect(),
        }
    }

    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// Whether this node may use it.
    pub fn is_on(&self, node: &str) -> bool {
        let nodes = self.get("nodes");
        nodes.is_empty() || nodes.split(',').any(|name| name == node)
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.kind, self.id);
        if self.is_set("disable") {
            text += "\tdisable\n";
        }
        // What a type must have comes first, the others by name.
        let (must, may): (Vec<_>, Vec<_>) = self
            .fields
            .iter()
            .partition(|(n, _)| matches!(n.as_str(), "path" | "pool"));
        for (name, value) in must.into_iter().chain(may).filter(|(name, _)| *name != "disable") {
            text += &format!("\t{name} {value}\n");
        }
        text + "\n"
    }
}

/// Every storage in the order of the file. Without a file: `local` with its priority.
pub fn load(call: &Call) -> Vec<Storage> {
    let text = call.read(PATH);
    let mut all = parse(text.as_deref().unwrap_or_default());
    if !all.iter().any(|storage| storage.id == "local") {
        let fields = [
            ("path", "/var/lib/vz"),
            ("content", "backup,images,iso,rootdir,snippets,vztmpl"),
            ("prune-backups", "keep-all=1"),
        ];
        all.insert(0, Storage::new("dir", "local", &fields));
    }
    all
}

/// Whether nothing was ever written: then `local` has a priority in answers.
pub fn is_missing(call: &Call) -> bool {
    !call.place(PATH).exists()
}

/// Text of the file, empty when it is missing.
pub fn text(call: &Call) -> String {
    call.read(PATH).unwrap_or_default()
}

pub fn save(call: &Call, all: &[Storage]) -> Result<(), Fault> {
    call.write(PATH, &all.iter().map(Storage::text).collect::<String>())
}

/// A storage without content types gets the default ones when it is read, so that the next change writes them.
fn parse(text: &str) -> Vec<Storage> {
    let mut all: Vec<Storage> = Vec::new();
    for line in text.lines() {
        if let (Some(field), Some(last)) = (line.strip_prefix(['\t', ' ']), all.last_mut()) {
            let (name, value) = field.trim().split_once(' ').unwrap_or((field.trim(), "1"));
            last.fields.insert(name.to_owned(), value.trim().to_owned());
        } else if let Some((kind, id)) = line.split_once(':') {
            let (kind, id) = (kind.to_owned(), id.trim().to_owned());
            all.push(Storage {
                kind,
                id,
                fields: BTreeMap::new(),
            });
        }
    }
    for storage in &mut all {
        storage
            .fields
            .entry("content".to_owned())
            .or_insert_with(|| DEFAULT_CONTENT.to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_write_adds_the_default_content() {
        let written = "dir: d1\n\tdisable\n\tpath /srv/d1\n\tshared 0\n\n";
        let again: String = parse(written).iter().map(Storage::text).collect();
        assert_eq!(
            again,
            "dir: d1\n\tdisable\n\tpath /srv/d1\n\tcontent images,rootdir\n\tshared 0\n\n"
        );
    }
}
