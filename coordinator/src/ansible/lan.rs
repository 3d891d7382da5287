use std::net::{IpAddr, Ipv4Addr};

use super::fleet::{Said, Seen, Taken};
use super::meaning::Meaning;
use super::mistake::Mistake;
use super::notes::{Notes, Part};
use crate::config::{Network, accepted};

/// The keys of `[network]`.
#[derive(Default)]
pub(super) struct Lan {
    /// Every node's address is in it.
    pub(super) subnet: Option<Network>,
    pub(super) gateway: Option<IpAddr>,
    pub(super) dns: Vec<IpAddr>,
    pub(super) domain: Option<String>,
    /// The backplane of all nodes that have one; it needs a subnet.
    pub(super) backplane: Option<Network>,
    /// A subnet to offer as a comment: that of the playbook, which is always a /24.
    pub(super) guess: Option<Network>,
}

/// A node's card on the backplane.
pub(super) struct Card {
    pub(super) address: IpAddr,
    pub(super) network: Network,
    pub(super) mac: Option<String>,
}

/// A value that all hosts share. A note says when they do not.
pub(super) fn common<'p, T: PartialEq>(
    seen: &[Seen<'p>],
    about: Meaning,
    key: &str,
    check: impl Fn(&str) -> Option<T>,
    notes: &mut Notes,
) -> Option<Said<'p, T>> {
    let mut all: Vec<_> = seen.iter().map(|one| one.said(about, key, &check, notes)).collect();
    let first = all.first()?.as_ref();
    let same = |one: &Option<Said<'_, T>>| one.as_ref().map(|said| &said.value) == first.map(|said| &said.value);
    if all.iter().all(same) {
        return all.swap_remove(0);
    }
    for said in all.into_iter().flatten() {
        let text = format!("the hosts differ: write {key} by hand");
        notes.add(Part::LeftOut, &said.variable.name, said.variable.line, text);
    }
    None
}

/// `[network]`, and each host's backplane card.
pub(super) fn lan<'p>(
    seen: &[Seen<'p>],
    taken: &mut Taken<'p>,
    notes: &mut Notes,
    mistakes: &mut Vec<Mistake>,
) -> (Lan, Vec<Option<Card>>) {
    let addresses: Vec<IpAddr> = seen.iter().filter_map(|one| Some(one.node.as_ref()?.1)).collect();
    let mut lan = Lan::default();
    let subnet = common(seen, Meaning::Subnet, "subnet in [network]", accepted::network, notes);
    let fits = |network: &Network| {
        addresses
            .iter()
            .all(|at| network.contains(*at) && network.can_be_a_host(*at))
    };
    if let Some(said) = keep(subnet, fits, "a node's address is not in it", notes) {
        told("subnet", said.value, &said, notes);
        lan.subnet = Some(said.value);
    }
    let in_subnet = |at: &IpAddr| {
        let inside = |subnet: Network| subnet.contains(*at) && subnet.can_be_a_host(*at);
        lan.subnet.is_some_and(inside) && !addresses.contains(at)
    };
    let gateway = common(seen, Meaning::Gateway, "gateway in [network]", accepted::address, notes);
    if let Some(said) = keep(
        gateway,
        in_subnet,
        "it needs a subnet that it is in, and an address of its own",
        notes,
    ) {
        told("gateway", said.value, &said, notes);
        lan.gateway = Some(said.value);
    }
    let dns = common(seen, Meaning::Dns, "dns in [network]", servers, notes);
    if let Some(said) = keep(dns, |_| lan.subnet.is_some(), "it needs a subnet", notes) {
        told("dns", format!("{} addresses", said.value.len()), &said, notes);
        lan.dns = said.value;
    }
    let domain = common(seen, Meaning::Domain, "domain in [network]", accepted::domain, notes);
    if let Some(said) = keep(domain, |_| lan.subnet.is_some(), "it needs a subnet", notes) {
        told("domain", &said.value, &said, notes);
        lan.domain = Some(said.value);
    }
    if lan.subnet.is_none() {
        let text = "subnet, gateway and name servers are not in the inventory. They are in heeler.toml as a comment: \
                    complete them, and remove the #";
        notes.add(Part::LeftOut, "network", 0, text);
        lan.guess = guess(&addresses);
    }
    let gateway = lan.gateway;
    let cards: Vec<_> = seen
        .iter()
        .map(|one| card(one, (lan.subnet, gateway), taken, notes, mistakes))
        .collect();
    let mut networks = cards.iter().flatten().map(|card| card.network);
    let first = networks.next().filter(|_| lan.subnet.is_some());
    lan.backplane = first.filter(|first| networks.all(|other| other == *first));
    if cards.iter().all(Option::is_none) {
        let text = "the playbook counts a backplane address from the last number of ansible_host, also where there is no \
                    such card. heeler node add shows each node's cards, and offers the backplane line";
        notes.add(Part::LeftOut, "backplane", 0, text);
    }
    (lan, cards)
}

/// The value, when it fits with the others; a note says why not.
fn keep<'p, T>(
    said: Option<Said<'p, T>>,
    fits: impl Fn(&T) -> bool,
    why: &str,
    notes: &mut Notes,
) -> Option<Said<'p, T>> {
    let said = said?;
    if fits(&said.value) {
        return Some(said);
    }
    let text = format!("{why}: write it into [network] by hand");
    notes.add(Part::LeftOut, &said.variable.name, said.variable.line, text);
    None
}

fn told<T>(key: &str, value: impl std::fmt::Display, said: &Said<'_, T>, notes: &mut Notes) {
    let text = format!("[network] {key}: {value}");
    notes.add(Part::Taken, &said.variable.name, said.variable.line, text);
}

/// Addresses of name servers, with blanks or commas between them, or as a list.
fn servers(text: &str) -> Option<Vec<IpAddr>> {
    let parts = text.split(|c: char| c.is_whitespace() || ",[]'\"".contains(c));
    let all: Option<Vec<_>> = parts.filter(|part| !part.is_empty()).map(accepted::address).collect();
    all.filter(|all| !all.is_empty() && all.len() <= 8)
}

/// The /24 that all addresses are in.
fn guess(addresses: &[IpAddr]) -> Option<Network> {
    let (Some(IpAddr::V4(first)), rest) = (addresses.first().copied(), addresses) else {
        return None;
    };
    let [a, b, c, _] = first.octets();
    let network = Network {
        address: Ipv4Addr::new(a, b, c, 0).into(),
        prefix: 24,
    };
    rest.iter()
        .all(|at| network.contains(*at) && network.can_be_a_host(*at))
        .then_some(network)
}

/// The host's card, when heeler.toml accepts it with all others.
fn card<'p>(
    seen: &Seen<'p>,
    (subnet, gateway): (Option<Network>, Option<IpAddr>),
    taken: &mut Taken<'p>,
    notes: &mut Notes,
    mistakes: &mut Vec<Mistake>,
) -> Option<Card> {
    let (name, own_address) = seen.node.as_ref()?;
    let key = format!("backplane of {name}");
    let network = seen.said(Meaning::BackplaneNetwork, &key, accepted::network, notes);
    let mac = seen.said(Meaning::BackplaneMac, &key, accepted::mac, notes);
    let full = |text: &str| match accepted::address_in_network(text) {
        Some((address, network)) => Some((address, Some(network))),
        None => accepted::address(text).map(|address| (address, None)),
    };
    let said = seen.said(Meaning::Backplane, &key, full, notes);
    let all = [
        network.as_ref().map(|said| said.variable),
        mac.as_ref().map(|said| said.variable),
        said.as_ref().map(|said| said.variable),
    ];
    let mut leave = |why: &str| {
        for variable in all.into_iter().flatten() {
            let text = format!("{why}: heeler node add offers the line of this card");
            notes.add(Part::LeftOut, &variable.name, variable.line, text);
        }
    };
    let Some(said) = said else {
        leave("there is no address for the backplane that heeler.toml accepts");
        return None;
    };
    let (address, own) = said.value;
    let Some(network) = network.as_ref().map(|said| said.value).or(own) else {
        leave("the network of the backplane is missing");
        return None;
    };
    // The rules of heeler.toml for a backplane.
    let fits = network.contains(address)
        && network.can_be_a_host(address)
        && address.is_ipv4()
        && network.prefix <= 30
        && gateway != Some(address)
        && *own_address != address
        && !subnet.is_some_and(|subnet| subnet.overlaps(&network));
    if !fits {
        leave("heeler.toml wants an IPv4 network apart from the LAN, /30 or larger, with the address in it");
        return None;
    }
    let host = (seen.host.name.as_str(), said.variable.line);
    let mut first = taken.first("address", address, host, mistakes);
    if let Some(mac) = &mac {
        first &= taken.first("MAC", &mac.value, host, mistakes);
    }
    for variable in all.into_iter().flatten() {
        let text = format!("[nodes.{name}] backplane = {{ address = \"{address}\" }} in {network}");
        notes.add(Part::Taken, &variable.name, variable.line, text);
    }
    first.then(|| Card {
        address,
        network,
        mac: mac.map(|said| said.value),
    })
}
