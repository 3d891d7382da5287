//! `pvesm` and `pvesh`: Proxmox's storages.
//!
//! `pvesm add zfspool` ends with 0 when the dataset does not exist in its pool; the storage is then there, and not active.
//! Proxmox imports a pool again that a storage names, within seconds after `zpool export`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A storage in Proxmox's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Its id.
    pub name: String,
    /// Its type: `dir`, `zfspool`, `nfs`…
    pub kind: String,
    /// The path of a `dir`, the dataset of a `zfspool`; empty for other types.
    pub place: String,
    /// What it may hold, in Proxmox's words.
    pub content: BTreeSet<String>,
    /// Whether nobody may use it.
    pub disabled: bool,
    /// Whether volumes of a `zfspool` take space only as they are written.
    pub sparse: bool,
    /// Whether Proxmox uses a `dir` only while something is mounted at it, and never makes its folder.
    pub only_mounted: bool,
}

/// Something in a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Such as `local:iso/debian.iso`.
    pub id: String,
    /// The kind of content.
    pub content: String,
}

fn get(path: impl Into<String>) -> Command {
    Command::look("pvesh")
        .arg("get")
        .arg(path)
        .args(["--output-format", "json"])
}

/// The rows that `command` prints. Fails when it fails, or its output cannot be read.
async fn rows<T>(host: &dyn System, command: Command, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, RunError> {
    let output = ask(host, &command).await?;
    let value = json::last(&command, &output.stdout)?;
    let rows = value.as_array().and_then(|rows| rows.iter().map(&read).collect());
    rows.ok_or_else(|| RunError::unreadable(&command, "it is not a list of what was asked for"))
}

/// All storages of the cluster. Fails when the program fails, or its output cannot be read.
pub async fn storages(host: &dyn System) -> Result<Vec<Storage>, RunError> {
    rows(host, get("/storage"), storage).await
}

fn storage(row: &Value) -> Option<Storage> {
    let text = |key| json::text(row, key).unwrap_or_default();
    // The order of these words differs from answer to answer.
    let content = text("content").split(',').filter(|kind| !matches!(*kind, "" | "none"));
    let makes_folder = ["create-base-path", "mkdir"]
        .iter()
        .all(|key| row.get(key).is_none() || json::truth(row, key));
    Some(Storage {
        name: json::text(row, "storage")?.to_owned(),
        kind: json::text(row, "type")?.to_owned(),
        place: [text("path").trim_end_matches('/'), text("pool")].concat(),
        content: content.map(str::to_owned).collect(),
        disabled: json::truth(row, "disable"),
        sparse: json::truth(row, "sparse"),
        only_mounted: (json::truth(row, "is_mountpoint") || matches!(text("is_mountpoint"), "yes" | "on" | "true"))
            && !makes_folder,
    })
}

/// The ids of the storages that this node can use now. Fails as [`storages`].
pub async fn active(host: &dyn System) -> Result<BTreeSet<String>, RunError> {
    let row = |row: &Value| Some((json::text(row, "storage")?.to_owned(), json::truth(row, "active")));
    let all = rows(host, get("/nodes/localhost/storage"), row).await?;
    Ok(all
        .into_iter()
        .filter(|(_, active)| *active)
        .map(|(name, _)| name)
        .collect())
}

/// What a storage of this node holds. Fails as [`storages`].
pub async fn volumes(host: &dyn System, name: &str) -> Result<Vec<Volume>, RunError> {
    let volume = |row: &Value| {
        Some(Volume {
            id: json::text(row, "volid")?.to_owned(),
            content: json::text(row, "content")?.to_owned(),
        })
    };
    rows(host, get(format!("/nodes/localhost/storage/{name}/content")), volume).await
}

fn option(storage: &Storage, name: &str) -> Option<[String; 2]> {
    let word = |is: bool| if is { "1" } else { "0" }.to_owned();
    let value = match name {
        // Without content nothing is wanted of it: that of a disabled storage stays.
        "content" if storage.content.is_empty() => return None,
        "content" => Vec::from_iter(storage.content.iter().map(String::as_str)).join(","),
        "disable" => word(storage.disabled),
        "sparse" if storage.kind == "zfspool" => word(storage.sparse),
        "is_mountpoint" if storage.only_mounted => "yes".to_owned(),
        "create-base-path" if storage.only_mounted => "0".to_owned(),
        _ => return None,
    };
    Some([format!("--{name}"), value])
}

/// `pvesm add`, for a `dir` or a `zfspool`.
pub fn add_command(storage: &Storage) -> Command {
    let place = if storage.kind == "zfspool" { "--pool" } else { "--path" };
    let command = Command::change("pvesm").args(["add", &storage.kind, &storage.name, place, &storage.place]);
    let options = ["content", "sparse", "is_mountpoint", "create-base-path"];
    let command = command.args(options.iter().filter_map(|name| option(storage, name)).flatten());
    match storage.disabled {
        true => command.args(["--disable", "1"]),
        false => command,
    }
}

/// `pvesm set`, which changes what differs; None when nothing does that can be changed.
pub fn set_command(there: &Storage, wanted: &Storage) -> Option<Command> {
    let options = ["content", "sparse", "is_mountpoint", "create-base-path", "disable"];
    let mut args = Vec::new();
    for name in options {
        let differs = match name {
            "content" => there.content != wanted.content,
            "sparse" => there.sparse != wanted.sparse,
            "disable" => there.disabled != wanted.disabled,
            _ => there.only_mounted != wanted.only_mounted,
        };
        args.extend(option(wanted, name).filter(|_| differs).into_iter().flatten());
    }
    let command = Command::change("pvesm").args(["set", &wanted.name]);
    (!args.is_empty()).then(|| command.args(args))
}
