use std::net::{IpAddr, SocketAddr};

use heeler_proto::{Class, Dataset, Domain, Keep, KeepCopies, Locale, PoolName, ScrubEvery, TimeZone};

use super::place_names;
use super::reader::{Located, Table, Unfit};
use super::values::{self, Network};

/// `[network]`, of the fleet or of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// The network of the nodes' addresses.
    pub subnet: Option<Located<Network>>,
    /// Address of the router; it is in the subnet.
    pub gateway: Option<Located<IpAddr>>,
    /// Addresses of the name servers.
    pub dns: Vec<Located<IpAddr>>,
    /// The domain of the nodes' names.
    pub domain: Option<Located<Domain>>,
    /// The network of the backplane cards.
    pub backplane: Option<Located<Network>>,
    /// What writes the backplane's configuration; None: [`Renderer::Auto`].
    pub renderer: Option<Located<Renderer>>,
}

/// The program that configures the backplane's card on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Renderer {
    /// ifupdown2 on a node with Proxmox, or one that will get it; netplan elsewhere.
    #[default]
    Auto,
    /// Always netplan.
    Netplan,
}

/// `[defaults]`, or the same keys of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Login user for first contact.
    pub user: Option<Located<String>>,
    /// A locale of glibc.
    pub locale: Option<Located<Locale>>,
    /// A name of the IANA time zone database.
    pub timezone: Option<Located<TimeZone>>,
}

/// `[pool]`, of the fleet or of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolSettings {
    /// Name of the pool. None: "data".
    pub name: Option<Located<PoolName>>,
    /// Largest ARC in bytes. None: a tenth of the RAM, at most 1 GiB.
    pub arc_max_bytes: Option<Located<u64>>,
    /// Datasets to create. None: pve-files (mounted) and vm (not mounted).
    pub datasets: Option<Vec<Located<Dataset>>>,
    /// How often to scrub. None: every month.
    pub scrub: Option<Located<ScrubEvery>>,
    /// How many daily copies of the SD card's configuration to keep on the pool. None: [`KeepCopies::USUAL`].
    pub copies: Option<Located<u32>>,
}

/// `[[snapshots]]`: one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Full names, with the pool's name in front.
    pub datasets: Vec<Located<String>>,
    /// How many snapshots of each kind to keep.
    pub keep: Keep,
}

pub(super) fn coordinator(mut table: Table<'_, '_>) -> Option<Vec<Located<SocketAddr>>> {
    table.demand("addresses", "addresses = [\"IP:7443\"] with the coordinator's address");
    let list = table.list("addresses", values::listener);
    if list.as_ref().is_some_and(|list| list.value.is_empty()) {
        table.error_at(
            &list,
            "addresses is empty",
            "write the coordinator's address; agents connect to it",
        );
    }
    table.finish();
    list.map(|list| list.value)
}

pub(super) fn network(mut table: Table<'_, '_>, whole_fleet: bool) -> NetworkSettings {
    if whole_fleet {
        table.demand("subnet", "subnet = \"10.10.80.0/24\"");
    }
    let network = NetworkSettings {
        subnet: table.text("subnet", values::network),
        gateway: table.text("gateway", values::address),
        dns: table
            .list("dns", values::address)
            .map(|list| list.value)
            .unwrap_or_default(),
        // One for all nodes: each lists the names of all.
        domain: whole_fleet.then(|| table.text("domain", values::domain)).flatten(),
        backplane: table.text("backplane", values::network),
        renderer: table.text("renderer", renderer),
    };
    table.finish();
    network
}

fn renderer(text: &str) -> Result<Renderer, Unfit> {
    match text {
        "auto" => Ok(Renderer::Auto),
        "netplan" => Ok(Renderer::Netplan),
        _ => Err(Unfit::not(text, "a renderer", "\"auto\" or \"netplan\"")),
    }
}

pub(super) fn defaults(mut table: Table<'_, '_>) -> Defaults {
    let defaults = personal(&mut table);
    table.finish();
    defaults
}

/// Reads the keys of `[defaults]`, which a node may have too.
pub(super) fn personal(table: &mut Table<'_, '_>) -> Defaults {
    Defaults {
        user: table.text("user", values::user_name),
        locale: table.text("locale", place_names::locale),
        timezone: table.text("timezone", place_names::timezone),
    }
}

pub(super) fn pool(mut table: Table<'_, '_>) -> PoolSettings {
    let pool = PoolSettings {
        name: table.text("name", values::pool_name),
        arc_max_bytes: table.text("arc_max", values::arc),
        datasets: table
            .tables("datasets")
            .map(|list| list.into_iter().filter_map(dataset).collect()),
        scrub: table.text("scrub", scrub),
        copies: copies(&mut table),
    };
    table.finish();
    pool
}

fn copies(table: &mut Table<'_, '_>) -> Option<Located<u32>> {
    let copies = table.number("copies");
    let many = copies.as_ref().is_some_and(|copies| copies.value > KeepCopies::MOST);
    if many {
        let most = KeepCopies::MOST;
        table.error_at(
            &copies,
            &format!("more than {most} copies"),
            "one is made each day: write how many days to keep, or 0 for no copies",
        );
    }
    copies
}

fn scrub(text: &str) -> Result<ScrubEvery, Unfit> {
    match text {
        "monthly" => Ok(ScrubEvery::Month),
        "weekly" => Ok(ScrubEvery::Week),
        "never" => Ok(ScrubEvery::Never),
        _ => Err(Unfit::not(
            text,
            "a scrub interval",
            "\"monthly\", \"weekly\" or \"never\"",
        )),
    }
}

fn dataset(mut table: Table<'_, '_>) -> Option<Located<Dataset>> {
    let place = table.place;
    let mountpoint = table.required("mountpoint", "mountpoint = \"/data/pve-files\", or \"none\"", |text| {
        values::dataset("data/x", text).map(|dataset| dataset.mountpoint.to_string())
    });
    let name = table.required("name", "name = \"data/pve-files\"", |text| {
        values::dataset(text, "none").map(|dataset| dataset.name)
    });
    table.finish();
    let value = values::dataset(&name?.value, &mountpoint?.value).ok()?;
    Some(Located { value, place })
}

/// Minutes between frequent snapshots, unless a policy says otherwise.
const FREQUENT_MINUTES: u32 = 15;

pub(super) fn snapshots(mut table: Table<'_, '_>) -> Option<SnapshotPolicy> {
    table.demand("datasets", "datasets = [\"data/pve-files\"]");
    let datasets = table.list("datasets", |text| {
        values::dataset(text, "none").map(|dataset| dataset.name)
    });
    if datasets.as_ref().is_some_and(|list| list.value.is_empty()) {
        table.error_at(&datasets, "datasets is empty", "write datasets = [\"data/pve-files\"]");
    }
    table.demand("keep", "keep = { hourly = 24, daily = 14, weekly = 8 }");
    let keep = table.table("keep").map(|mut table| {
        let counts = Class::ALL.map(|class| table.number(class.word()).map_or(0, |number| number.value));
        let minutes = table.number("frequent_minutes");
        let place = minutes.as_ref().map_or(table.place, |minutes| minutes.place);
        let minutes = minutes.map_or(FREQUENT_MINUTES, |minutes| minutes.value);
        let keep = Keep::new(counts, minutes).map_err(|invalid| {
            let (place, hint) = match invalid.field {
                "keep" => (table.place, "a count is at most 10000"),
                _ => (place, "frequent_minutes divides an hour"),
            };
            let here = Some(Located { value: (), place });
            table.error_at(&here, &format!("{}: {}", invalid.field, invalid.problem), hint);
        });
        table.finish();
        keep.unwrap_or_default()
    });
    table.finish();
    Some(SnapshotPolicy {
        datasets: datasets?.value,
        keep: keep?,
    })
}
