use std::collections::BTreeMap;

use serde_json::Value;

use crate::ask::{ALL_POOLS, ask};
use crate::{Command, RunError, System, json};

/// The properties of a pool: value as text, by name.
pub type PoolProperties = BTreeMap<String, String>;

/// Runs `zpool get -j --json-int -p all POOL`. Fails when there is no such pool, or the output cannot be read.
pub async fn properties(host: &dyn System, pool: &str) -> Result<PoolProperties, RunError> {
    let command = Command::look("zpool")
        .args(["get", "-j", "--json-int", "-p", "all", pool])
        .timeout(ALL_POOLS);
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout, pool)
}

/// `zpool set NAME=VALUE POOL`.
pub fn set_command(name: &str, value: &str, pool: &str) -> Command {
    Command::change("zpool")
        .arg("set")
        .arg(format!("{name}={value}"))
        .arg(pool)
}

fn parse(command: &Command, text: &str, pool: &str) -> Result<PoolProperties, RunError> {
    let value = json::zfs(command, text)?;
    let entry = value
        .get("pools")
        .and_then(|pools| pools.get(pool))
        .ok_or_else(|| RunError::unreadable(command, format!("no pool {pool} in it")))?;
    let named = json::members(entry, "properties");
    let mut properties = PoolProperties::new();
    properties.extend(named.filter_map(|(name, property)| Some((name.clone(), plain(property.get("value")?)?))));
    // The property `guid` is limited to 2^63 - 1 (ZFS 2.3.9 with --json-int); half of all guids are larger.
    if let Some(guid) = json::number(entry, "pool_guid") {
        properties.insert("guid".to_owned(), guid.to_string());
    }
    Ok(properties)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
