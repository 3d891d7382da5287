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

/// An interface as `ip -j addr` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// With prefix length; link-local ones left out.
    pub addresses: Vec<String>,
    /// Likewise, the link-local ones.
    pub link_local: Vec<String>,
    /// Somebody has switched it on; whether a cable is in it is another matter.
    pub up: bool,
}

/// Every interface, by name.
///
/// # Errors
/// When the output cannot be read.
pub async fn interfaces(host: &dyn System) -> Result<BTreeMap<String, Interface>, RunError> {
    let command = addresses_command();
    let output = ask(host, &command).await?;
    parse_interfaces(&command, &output.stdout)
}

/// Switches an interface on.
#[must_use]
pub fn switch_on(name: &str) -> Command {
    Command::new("ip").args(["link", "set", "dev", name, "up"])
}

/// Switches an interface off.
#[must_use]
pub fn switch_off(name: &str) -> Command {
    Command::new("ip").args(["link", "set", "dev", name, "down"])
}

/// Gives an interface, which is switched off, another name.
#[must_use]
pub fn rename(from: &str, to: &str) -> Command {
    Command::new("ip").args(["link", "set", "dev", from, "name", to])
}

/// Takes every address but the link-local ones from an interface.
#[must_use]
pub fn flush(name: &str) -> Command {
    Command::new("ip").args(["address", "flush", "dev", name, "scope", "global"])
}

pub(crate) fn parse_interfaces(command: &Command, text: &str) -> Result<BTreeMap<String, Interface>, RunError> {
    let value = json::parse(command, text)?;
    let links = value
        .as_array()
        .ok_or_else(|| RunError::unreadable(command, "not a list"))?;
    let mut interfaces = BTreeMap::new();
    for link in links {
        let Some(name) = json::text(link, "ifname") else {
            continue;
        };
        let mut interface = Interface {
            up: json::list(link, "flags").iter().any(|flag| flag.as_str() == Some("UP")),
            ..Interface::default()
        };
        for info in json::list(link, "addr_info") {
            let (Some(local), Some(length)) = (json::text(info, "local"), json::number(info, "prefixlen")) else {
                continue;
            };
            let list = match json::text(info, "scope") {
                Some("link") => &mut interface.link_local,
                _ => &mut interface.addresses,
            };
            list.push(format!("{local}/{length}"));
        }
        interfaces.insert(name.to_owned(), interface);
    }
    Ok(interfaces)
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
