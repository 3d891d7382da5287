//! `ip`: addresses and routes.

use std::collections::BTreeMap;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// `ip -j addr`.
#[must_use]
pub fn addresses_command() -> Command {
    Command::new("ip").args(["-j", "addr"])
}

/// `ip -j route`.
#[must_use]
pub fn routes_command() -> Command {
    Command::new("ip").args(["-j", "route"])
}

/// Addresses with their prefix length, by interface; link-local ones left out.
///
/// # Errors
/// When the output cannot be read.
pub async fn addresses(host: &dyn System) -> Result<BTreeMap<String, Vec<String>>, RunError> {
    let command = addresses_command();
    let output = ask(host, &command).await?;
    parse_addresses(&command, &output.stdout)
}

pub(crate) fn parse_addresses(command: &Command, text: &str) -> Result<BTreeMap<String, Vec<String>>, RunError> {
    let value = json::parse(command, text)?;
    let links = value
        .as_array()
        .ok_or_else(|| RunError::unreadable(command, "not a list"))?;
    let address = |info: &serde_json::Value| {
        let global = json::text(info, "scope") != Some("link");
        let (local, length) = (json::text(info, "local")?, json::number(info, "prefixlen")?);
        global.then(|| format!("{local}/{length}"))
    };
    Ok(links
        .iter()
        .filter_map(|link| {
            let name = json::text(link, "ifname")?.to_owned();
            Some((name, json::list(link, "addr_info").iter().filter_map(address).collect()))
        })
        .collect())
}

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `default`, or a network with its prefix length.
    pub destination: String,
    /// Empty for what is on the link.
    pub gateway: String,
    /// Through which interface.
    pub device: String,
}

/// The main table.
///
/// # Errors
/// When the output cannot be read.
pub async fn routes(host: &dyn System) -> Result<Vec<Route>, RunError> {
    let command = routes_command();
    let output = ask(host, &command).await?;
    parse_routes(&command, &output.stdout)
}

pub(crate) fn parse_routes(command: &Command, text: &str) -> Result<Vec<Route>, RunError> {
    let value = json::parse(command, text)?;
    let routes = value
        .as_array()
        .ok_or_else(|| RunError::unreadable(command, "not a list"))?;
    let field = |route, key| json::text(route, key).unwrap_or_default().to_owned();
    Ok(routes
        .iter()
        .map(|route| Route {
            destination: field(route, "dst"),
            gateway: field(route, "gateway"),
            device: field(route, "dev"),
        })
        .collect())
}
