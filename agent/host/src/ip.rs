//! `ip` (iproute2): addresses and routes.

use std::collections::BTreeMap;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// `ip -j addr`.
pub fn addresses_command() -> Command {
    Command::look("ip").args(["-j", "addr"])
}

/// `ip -j route`.
pub fn routes_command() -> Command {
    Command::look("ip").args(["-j", "route"])
}

/// A network interface in the output of `ip -j addr`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Addresses with prefix length, without link-local ones.
    pub addresses: Vec<String>,
    /// Link-local addresses with prefix length.
    pub link_local: Vec<String>,
    /// Whether it is up administratively (flag UP), with or without a cable.
    pub up: bool,
}

/// All interfaces, by name. Fails when the program fails, or its output cannot be read.
pub async fn interfaces(host: &dyn System) -> Result<BTreeMap<String, Interface>, RunError> {
    let command = addresses_command();
    let output = ask(host, &command).await?;
    parse_interfaces(&command, &output.stdout)
}

/// `ip link set dev NAME up`.
pub fn switch_on(name: &str) -> Command {
    Command::change("ip").args(["link", "set", "dev", name, "up"])
}

/// `ip link set dev NAME down`.
pub fn switch_off(name: &str) -> Command {
    Command::change("ip").args(["link", "set", "dev", name, "down"])
}

/// `ip link set dev FROM name TO`; the interface must be down.
pub fn rename(from: &str, to: &str) -> Command {
    Command::change("ip").args(["link", "set", "dev", from, "name", to])
}

/// `ip address flush dev NAME scope global`: removes all addresses but the link-local ones.
pub fn flush(name: &str) -> Command {
    Command::change("ip").args(["address", "flush", "dev", name, "scope", "global"])
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
    /// `default`, or a network with prefix length.
    pub destination: String,
    /// Address of the router; empty for a network on the link.
    pub gateway: String,
    /// Name of the interface.
    pub device: String,
}

/// The routes of the main table. Fails when the program fails, or its output cannot be read.
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
