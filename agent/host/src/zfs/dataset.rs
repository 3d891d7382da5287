use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A file system or volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// With the pool's name in front.
    pub name: String,
    /// FILESYSTEM or VOLUME; [`UNREADABLE`] when the listing lacks its type or properties.
    pub kind: String,
    /// An absolute path, `none` or `legacy`; empty for a volume.
    pub mountpoint: String,
    /// Whether the mountpoint was set on this very dataset.
    pub mountpoint_local: bool,
    /// Whether ZFS says that it is mounted.
    pub mounted: bool,
    /// `on`, `off`, `noauto`; empty for a volume.
    pub canmount: String,
    /// By it and all below it.
    pub used_bytes: u64,
    /// The name that Heeler made it under, which a rename does not change; those below it inherit that. Empty when
    /// nobody set it.
    pub made_as: String,
    /// compression, atime, xattr, acltype and dnodesize, as ZFS prints them.
    pub tuning: Vec<(&'static str, String)>,
}

/// The kind of a dataset of which ZFS says too little: nothing may be concluded from the rest.
pub const UNREADABLE: &str = "UNREADABLE";

/// The property that holds the name a dataset was made under.
pub const MADE_AS: &str = "heeler:dataset";
const TUNING: [&str; 5] = ["compression", "atime", "xattr", "acltype", "dnodesize"];

/// `zfs list -j --json-int -p -t filesystem,volume -o name,mountpoint,mounted,canmount,used,…`.
#[must_use]
pub fn datasets_command() -> Command {
    Command::new("zfs").args([
        "list",
        "-j",
        "--json-int",
        "-p",
        "-t",
        "filesystem,volume",
        "-o",
        "name,mountpoint,mounted,canmount,used,heeler:dataset,compression,atime,xattr,acltype,dnodesize",
    ])
}

/// Every file system and volume of every imported pool, by name.
///
/// # Errors
/// Also when the module is not loaded.
pub async fn datasets(host: &dyn System) -> Result<Vec<Dataset>, RunError> {
    let command = datasets_command();
    let output = ask(host, &command).await?;
    // Without any dataset it prints no JSON.
    if output.stdout.trim().is_empty() {
        return Ok(Vec::new());
    }
    parse(&command, &output.stdout)
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Vec<Dataset>, RunError> {
    let value = json::zfs(command, text)?;
    Ok(json::members(&value, "datasets")
        .map(|(name, dataset)| read(name, dataset))
        .collect())
}

/// One that is odd hides no other, and is there all the same: nothing is made in its place.
fn read(name: &str, dataset: &Value) -> Dataset {
    let properties = dataset.get("properties").unwrap_or(&Value::Null);
    let used = properties.get("used").and_then(|used| json::number(used, "value"));
    let value = |key| {
        let value = properties.get(key).and_then(|property| json::text(property, "value"));
        value.filter(|value| *value != "-").unwrap_or_default()
    };
    let source = properties.get("mountpoint").and_then(|property| property.get("source"));
    Dataset {
        name: name.to_owned(),
        kind: json::text(dataset, "type")
            .filter(|_| used.is_some())
            .unwrap_or(UNREADABLE)
            .to_owned(),
        mountpoint: value("mountpoint").to_owned(),
        mountpoint_local: source.and_then(|source| json::text(source, "type")) == Some("LOCAL"),
        mounted: value("mounted") == "yes",
        canmount: value("canmount").to_owned(),
        made_as: value(MADE_AS).to_owned(),
        tuning: TUNING.iter().map(|key| (*key, value(key).to_owned())).collect(),
        used_bytes: used.unwrap_or(0),
    }
}

/// `zfs create -o heeler:dataset=NAME -o mountpoint=… NAME`. It is mounted at once; an exit code of 1 may still mean that it was made.
#[must_use]
pub fn create_command(name: &str, mountpoint: &str) -> Command {
    Command::new("zfs")
        .args(["create", "-o"])
        .arg(format!("{MADE_AS}={name}"))
        .arg("-o")
        .arg(format!("mountpoint={mountpoint}"))
        .arg(name)
}

/// `zfs mount NAME`.
#[must_use]
pub fn mount_command(name: &str) -> Command {
    Command::new("zfs").args(["mount", name])
}

/// `zfs mount -a`.
#[must_use]
pub fn mount_all_command() -> Command {
    Command::new("zfs").args(["mount", "-a"])
}
