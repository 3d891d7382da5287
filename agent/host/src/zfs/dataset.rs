use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A file system or volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Full name, such as `data/pve-files`.
    pub name: String,
    /// FILESYSTEM or VOLUME; [`UNREADABLE`] when the listing lacks its type or properties.
    pub kind: String,
    /// An absolute path, `none` or `legacy`; empty for a volume.
    pub mountpoint: String,
    /// Whether the mountpoint is set on this dataset itself, not inherited.
    pub mountpoint_local: bool,
    /// Whether ZFS reports it as mounted.
    pub mounted: bool,
    /// `on`, `off` or `noauto`; empty for a volume.
    pub canmount: String,
    /// Bytes that it and all datasets below it use.
    pub used_bytes: u64,
    /// The value of [`MADE_AS`]: the name that Heeler created it with, which a rename does not change. Datasets below
    /// inherit it. Empty when not set.
    pub made_as: String,
    /// compression, atime, xattr, acltype and dnodesize, as ZFS prints them.
    pub tuning: Vec<(&'static str, String)>,
}

/// The kind of a dataset that ZFS reports incompletely: its other fields prove nothing.
pub const UNREADABLE: &str = "UNREADABLE";

/// The user property with the name that a dataset was created with.
pub const MADE_AS: &str = "heeler:dataset";
const TUNING: [&str; 5] = ["compression", "atime", "xattr", "acltype", "dnodesize"];

/// `zfs list -j --json-int -p -t filesystem,volume -o name,mountpoint,mounted,canmount,used,…`.
pub fn datasets_command() -> Command {
    Command::look("zfs").args([
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

/// All file systems and volumes of all imported pools, by name. Fails when ZFS fails, also because its module is not
/// loaded, or the output cannot be read.
pub async fn datasets(host: &dyn System) -> Result<Vec<Dataset>, RunError> {
    let command = datasets_command();
    let output = ask(host, &command).await?;
    // zfs prints no JSON when there is no dataset.
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

/// An incomplete dataset is kept, so that nothing is created in its place, and the others are not affected.
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

/// `zfs create -o heeler:dataset=NAME -o mountpoint=… NAME`: also mounts it. With exit code 1 it may still have been
/// created: the mount can fail afterwards.
pub fn create_command(name: &str, mountpoint: &str) -> Command {
    Command::change("zfs")
        .args(["create", "-o"])
        .arg(format!("{MADE_AS}={name}"))
        .arg("-o")
        .arg(format!("mountpoint={mountpoint}"))
        .arg(name)
}

/// `zfs mount NAME`.
pub fn mount_command(name: &str) -> Command {
    Command::change("zfs").args(["mount", name])
}
