//! Parses heeler.toml strictly.
//!
//! Pure: text in; a [`Config`] or all mistakes out, each with line and column. Sections that nothing uses yet are
//! checked too, so that a mistake shows when it is made.

pub(crate) mod accepted;
mod access;
mod boot;
mod cross_checks;
mod cure;
mod edit;
mod error;
mod kind;
mod node;
mod place_names;
mod proxmox;
mod public_key;
mod reader;
mod sections;
mod storages;
mod system;
mod template;
mod values;
mod wanted;

pub use edit::{EditError, NewNode, add_node};
pub use error::{ConfigError, Place};
pub use node::{Backplane, Node};
pub use reader::Located;
pub use sections::{Defaults, NetworkSettings, PoolSettings, Renderer, SnapshotPolicy};
pub use storages::{PlaceSettings, StorageSettings};
pub use system::SystemSettings;
pub use template::template;
pub(crate) use template::{NETWORK, head};
pub use values::{DEFAULT_PORT, Network};
pub use wanted::WantedNode;

use std::net::SocketAddr;

use heeler_proto::EnsureAccess;
use reader::{Report, Table};
use toml::de::DeTable;

/// Name of the file in the config folder.
pub const FILE: &str = "heeler.toml";

/// Content of heeler.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `cluster.name`: lower-case letters, digits and inner hyphens, at most 15.
    pub cluster: Located<String>,
    /// `coordinator.addresses`: where agents reach the coordinator, in order of preference.
    pub coordinator: Vec<Located<SocketAddr>>,
    /// `[network]`: defaults for every node.
    pub network: NetworkSettings,
    /// `[defaults]`: login, locale and time zone for every node.
    pub defaults: Defaults,
    /// `[system]`: defaults for every node.
    pub system: SystemSettings,
    /// `[pool]`: defaults for every node.
    pub pool: PoolSettings,
    /// `[access]`: the people of Proxmox, and what they may do; None: it stays as it is.
    pub access: Option<EnsureAccess>,
    /// `[proxmox]`: where all nodes get Proxmox's packages from; None: Heeler does not care.
    pub proxmox: Option<Located<proxmox::Proxmox>>,
    /// `[storages.*]`, in the order of the file.
    pub storages: Vec<StorageSettings>,
    /// `[[snapshots]]`: which datasets get snapshots, and how many are kept.
    pub snapshots: Vec<SnapshotPolicy>,
    /// `[nodes.*]`, in the order of the file.
    pub nodes: Vec<Node>,
}

/// Whether `cluster.name` accepts the text.
pub fn is_cluster_name(text: &str) -> bool {
    values::cluster_name(text).is_ok()
}

/// Parses a size as written in heeler.toml, of at least 1 MiB: `256MiB`. Returns bytes. Fails with how to write it.
pub fn bytes(text: &str) -> Result<u64, String> {
    let size = values::size(text).map_err(|_| format!("{text:?} is not a size: write 256MiB or 1GiB"));
    size.and_then(|size| match size >> 20 {
        0 => Err(format!("{text:?} is too small: at least 1MiB")),
        _ => Ok(size),
    })
}

/// Parses one of `coordinator.addresses`; a missing port becomes [`DEFAULT_PORT`].
pub fn address(text: &str) -> Option<SocketAddr> {
    values::listener(text).ok()
}

/// Parses the bytes of heeler.toml. Fails as [`parse`]; also when they are not UTF-8.
pub fn parse_bytes(bytes: &[u8]) -> Result<Config, Vec<ConfigError>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let lossy = String::from_utf8_lossy(bytes);
        let place = Place::of(&lossy, good.len()..good.len() + char::REPLACEMENT_CHARACTER.len_utf8());
        let message = format!("byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]);
        vec![ConfigError::new(
            &lossy,
            place,
            message,
            Some("save the file as UTF-8".into()),
        )]
    })?;
    parse(text)
}

/// Parses heeler.toml. Its error: all mistakes, in the order of the file.
pub fn parse(text: &str) -> Result<Config, Vec<ConfigError>> {
    let report = Report::on(text);
    let (document, mistakes) = DeTable::parse_recoverable(text);
    // Further errors after a syntax error are mostly caused by it.
    if let Some(mistake) = mistakes.first() {
        let span = mistake.span().unwrap_or_default();
        let cure = cure::cure(text, mistake.message(), span.clone());
        report.error(
            report.place(span),
            format!("this is not TOML: {}", mistake.message()),
            cure.unwrap_or_default(),
        );
        return Err(report.finish());
    }
    if document.get_ref().is_empty() {
        let hint = "heeler init writes a first one";
        report.error(Place::of(text, 0..0), "the file is empty", hint);
        return Err(report.finish());
    }
    let root = Table::new(&report, "", Place::of(text, 0..0), document.into_inner());
    match read(root) {
        Some(config) => {
            cross_checks::check(&config, &report);
            let errors = report.finish();
            if errors.is_empty() { Ok(config) } else { Err(errors) }
        }
        None => Err(report.finish()),
    }
}

/// None when a required key is missing; the report then says so.
fn read(mut root: Table<'_, '_>) -> Option<Config> {
    root.demand("cluster", "[cluster], and in the next line name = \"home\"");
    let cluster = root.table("cluster").and_then(|mut cluster| {
        let name = cluster.required("name", "name = \"home\"", values::cluster_name);
        cluster.finish();
        name
    });
    root.demand(
        "coordinator",
        "[coordinator], and in the next line addresses = [\"IP:7443\"]",
    );
    let coordinator = root.table("coordinator").and_then(sections::coordinator);
    let network = root.table("network").map(|table| sections::network(table, true));
    let defaults = root.table("defaults").map(sections::defaults);
    let system = root.table("system").map(system::system);
    let pool = root.table("pool").map(sections::pool);
    let proxmox = root.table("proxmox").map(proxmox::proxmox);
    let snapshots = root.tables("snapshots").unwrap_or_default();
    let access = root.table("access").and_then(access::access);
    let storages = root.table("storages").map(storages::storages);
    let nodes = root.table("nodes").map(node::nodes);
    root.finish();
    Some(Config {
        cluster: cluster?,
        coordinator: coordinator?,
        network: network.unwrap_or_default(),
        defaults: defaults.unwrap_or_default(),
        system: system.unwrap_or_default(),
        pool: pool.unwrap_or_default(),
        access,
        proxmox: proxmox.flatten(),
        storages: storages.unwrap_or_default(),
        snapshots: snapshots.into_iter().filter_map(sections::snapshots).collect(),
        nodes: nodes.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
