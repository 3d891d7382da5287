use crate::ask::ALL_POOLS;
use crate::{Command, RunError, System};

/// A property of a dataset, with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The value as `zfs get -p` prints it; `-` when a user property is not set.
    pub value: String,
    /// `local`, `default`, `inherited from …`, `received` or `-`.
    pub source: String,
}

/// `zfs get -Hp -o value,source NAME DATASET`.
pub fn property_command(name: &str, dataset: &str) -> Command {
    Command::look("zfs")
        .args(["get", "-Hp", "-o", "value,source", name, dataset])
        .timeout(ALL_POOLS)
}

/// `zfs set NAME=VALUE DATASET`.
pub fn set_command(name: &str, value: &str, dataset: &str) -> Command {
    Command::change("zfs")
        .arg("set")
        .arg(format!("{name}={value}"))
        .arg(dataset)
}

/// `zfs inherit NAME DATASET`: removes the value that is set on the dataset itself.
pub fn inherit_command(name: &str, dataset: &str) -> Command {
    Command::change("zfs").args(["inherit", name, dataset])
}

/// Reads one property; None when there is no such dataset. Fails when ZFS fails, or the output cannot be read.
pub async fn property(host: &dyn System, name: &str, dataset: &str) -> Result<Option<Property>, RunError> {
    let command = property_command(name, dataset);
    let output = host.run(&command).await?;
    if !output.ok() && output.stderr.contains("dataset does not exist") {
        return Ok(None);
    }
    if !output.ok() {
        return Err(RunError::failed(&command, &output));
    }
    let line = output.stdout.trim_end_matches('\n');
    let (value, source) = line
        .split_once('\t')
        .ok_or_else(|| RunError::unreadable(&command, format!("the line {line:?}")))?;
    Ok(Some(Property {
        value: value.to_owned(),
        source: source.to_owned(),
    }))
}
