use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use heeler_proto::NodeName;
use heeler_proto::json::AnsibleReport;

use super::inventory::{Host, Parsed, Variable};
use super::lan::{self, Card, Lan};
use super::meaning::{Meaning, meaning, names};
use super::mistake::{Mistake, Wrong};
use super::notes::{Notes, Part};
use crate::config::{self, accepted};

/// The group whose hosts the playbook sets up.
const GROUP: &str = "pve_nodes";

/// What an inventory gives for a heeler.toml. Every value is one that its key accepts.
pub(crate) struct Fleet {
    /// Name of the cluster, where the inventory has one.
    pub(crate) cluster: Option<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) defaults: Personal,
    pub(super) pool: Option<String>,
    pub(super) lan: Lan,
    /// What was taken, changed and left out, for a person.
    pub(crate) report: AnsibleReport,
}

/// The keys of `[defaults]`, which a node may have too.
pub(super) const KEYS: [&str; 3] = ["user", "locale", "timezone"];
/// Their values, in the same order.
pub(super) type Personal = [Option<String>; KEYS.len()];

pub(super) struct Node {
    pub(super) name: NodeName,
    pub(super) address: IpAddr,
    pub(super) personal: Personal,
    pub(super) card: Option<Card>,
}

/// A host that the playbook sets up, with its variables.
pub(super) struct Seen<'p> {
    pub(super) host: &'p Host,
    pub(super) variables: BTreeMap<&'p str, &'p Variable>,
    /// Name and address, where heeler.toml can have it as a node.
    pub(super) node: Option<(NodeName, IpAddr)>,
}

/// A value that its key accepts, and the variable that had it.
#[derive(Clone)]
pub(super) struct Said<'p, T> {
    pub(super) value: T,
    pub(super) variable: &'p Variable,
}

/// What a host's variables say for each of [`KEYS`].
type Own<'p> = [Option<Said<'p, String>>; KEYS.len()];

impl<'p> Seen<'p> {
    pub(super) fn find(&self, about: Meaning) -> Option<&'p Variable> {
        names(about).find_map(|name| self.variables.get(name).copied())
    }

    /// The value of a variable, when `check` accepts it; `key` names the key of heeler.toml in the notes.
    pub(super) fn said<T>(
        &self,
        about: Meaning,
        key: &str,
        check: impl Fn(&str) -> Option<T>,
        notes: &mut Notes,
    ) -> Option<Said<'p, T>> {
        let variable = self.find(about)?;
        let why = match check(variable.value.text()) {
            Some(value) => return Some(Said { value, variable }),
            None if variable.value.is_template() => "only Ansible can compute its value",
            None => "heeler.toml does not accept its value",
        };
        notes.add(
            Part::LeftOut,
            &variable.name,
            variable.line,
            format!("{why}: write {key} by hand"),
        );
        None
    }
}

pub(super) fn of(parsed: &Parsed, beside: &[&str]) -> Result<Fleet, Vec<Mistake>> {
    let mut notes = Notes::default();
    let mut mistakes = Vec::new();
    let mut seen = chosen(parsed, &mut notes).map_err(|mistake| vec![mistake])?;
    let mut taken = Taken::default();
    for one in &mut seen {
        one.node = node(parsed, one, &mut taken, &mut notes, &mut mistakes);
    }
    let personal = personal(&seen, &mut notes);
    let cluster = lan::common(&seen, Meaning::Cluster, "name in [cluster]", cluster, &mut notes);
    if let Some(said) = &cluster {
        let text = "the name of the cluster, unless --cluster gives another";
        notes.add(Part::Taken, &said.variable.name, said.variable.line, text);
    }
    let pool = lan::common(&seen, Meaning::Pool, "name in [pool]", accepted::pool_name, &mut notes);
    if let Some(said) = &pool {
        let text = format!("[pool] name = \"{}\"", said.value);
        notes.add(Part::Taken, &said.variable.name, said.variable.line, text);
    }
    let (lan, cards) = lan::lan(&seen, &mut taken, &mut notes, &mut mistakes);
    others(&seen, &mut notes);
    playbook(&seen, beside, &mut notes);
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(mistakes);
    }
    let defaults = shared(&personal, &mut notes);
    let all = seen.iter().zip(personal).zip(cards);
    let node = |((seen, said), card): ((&Seen<'_>, Own<'_>), Option<Card>)| {
        let (name, address) = seen.node.clone()?;
        let own = std::array::from_fn(|key| {
            let said = said[key].as_ref().filter(|_| defaults[key].is_none())?;
            let text = format!("{} = \"{}\" in [nodes.{name}]", KEYS[key], said.value);
            notes.add(Part::Taken, &said.variable.name, said.variable.line, text);
            Some(said.value.clone())
        });
        Some(Node {
            name,
            address,
            personal: own,
            card,
        })
    };
    let nodes = all.filter_map(node).collect();
    Ok(Fleet {
        cluster: cluster.map(|said| said.value),
        nodes,
        defaults,
        pool: pool.map(|said| said.value.into()),
        lan,
        report: notes.finish(),
    })
}

fn cluster(text: &str) -> Option<String> {
    config::is_cluster_name(text).then(|| text.to_owned())
}

/// The hosts that the playbook sets up.
fn chosen<'p>(parsed: &'p Parsed, notes: &mut Notes) -> Result<Vec<Seen<'p>>, Mistake> {
    let inventory = &parsed.inventory;
    let next = format!("write [{GROUP}], and below it a line NAME ansible_host=IP for each node");
    let group = inventory.groups.get(GROUP);
    let is_in = |host: &&Host| group.is_none() || inventory.is_in(host, GROUP);
    let (inside, outside): (Vec<&Host>, Vec<&Host>) = inventory.hosts.iter().partition(is_in);
    if inside.is_empty() {
        let (found, line) = match group {
            Some(group) => (format!("the group {GROUP} has no hosts"), group.line),
            None => ("the inventory has no hosts".to_owned(), 1),
        };
        return Err(Wrong::new(found, next).at(line));
    }
    if group.is_none() {
        let text = format!("there is no group {GROUP}, whose hosts the playbook sets up: every host is taken");
        notes.add(Part::Taken, "hosts", 0, text);
    }
    for host in outside {
        let text = format!("not in the group {GROUP}, whose hosts alone the playbook sets up");
        notes.add(Part::LeftOut, &host.name, host.line, text);
    }
    let seen = |host| Seen {
        host,
        variables: parsed.variables(host),
        node: None,
    };
    let (here, nodes): (Vec<_>, Vec<_>) = inside.into_iter().map(seen).partition(is_here);
    for one in here {
        notes.add(
            Part::LeftOut,
            &one.host.name,
            one.host.line,
            "it is this machine, not a node",
        );
    }
    Ok(nodes)
}

fn is_here(seen: &Seen<'_>) -> bool {
    let text = |about| seen.find(about).map(|one| one.value.text());
    let address = text(Meaning::Address).unwrap_or(&seen.host.name);
    seen.host.name == "localhost"
        || text(Meaning::Connection) == Some("local")
        || accepted::address(address).is_some_and(|address| address.is_loopback())
}

/// Names, addresses and MACs that nodes have already, and who has them.
#[derive(Default)]
pub(super) struct Taken<'p>(HashMap<String, (&'p str, usize)>);

impl<'p> Taken<'p> {
    /// Whether nobody has it yet; `what` is its kind, with an article.
    pub(super) fn first(
        &mut self,
        what: &str,
        value: impl std::fmt::Display,
        (host, line): (&'p str, usize),
        mistakes: &mut Vec<Mistake>,
    ) -> bool {
        let (other, at) = *self.0.entry(format!("{what} {value}")).or_insert((host, line));
        if other == host {
            return true;
        }
        let found = format!("{host} and {other} (line {at}) have the same {what}");
        if mistakes.len() < super::MOST_MISTAKES {
            mistakes.push(Wrong::new(found, format!("give each its own {what}")).at(line));
        }
        false
    }
}

/// Name and address of a host. None when heeler.toml cannot have it as a node; a note then says why.
fn node<'p>(
    parsed: &'p Parsed,
    seen: &Seen<'p>,
    taken: &mut Taken<'p>,
    notes: &mut Notes,
    mistakes: &mut Vec<Mistake>,
) -> Option<(NodeName, IpAddr)> {
    let host = seen.host;
    let said = seen.find(Meaning::Address);
    let (text, line) = said.map_or((host.name.as_str(), host.line), |one| (one.value.text(), one.line));
    let is_other = |one: &&Variable| names(Meaning::Address).any(|name| name == one.name) && one.value.text() != text;
    if let Some(other) = parsed.own(host).find(is_other) {
        let found = format!("{} has another address in line {line}", host.name);
        mistakes.push(Wrong::new(found, "delete one of the two").at(other.line));
        return None;
    }
    let (name, address) = (node_name(host), accepted::address(text));
    let why = match (address, &name) {
        (Some(address), Some(name)) => {
            let first_name = taken.first("name", name, (host.name.as_str(), host.line), mistakes);
            let first_address = taken.first("address", address, (host.name.as_str(), line), mistakes);
            let text = format!("[nodes.{name}] address = \"{address}\"");
            notes.add(Part::Taken, &host.name, line, text);
            if name.as_str() != host.name {
                let text = format!("the node is {name}: Proxmox takes lower-case letters, digits and hyphens alone");
                notes.add(Part::Changed, &host.name, host.line, text);
            }
            return (first_name && first_address).then(|| (name.clone(), address));
        }
        (Some(address), None) => {
            format!("it has no name that Proxmox takes. To add it: heeler node add NAME --ssh USER@{address}")
        }
        (None, _) => {
            let name = name.as_ref().map_or("NAME", NodeName::as_str);
            let found = if said.is_some() {
                "its ansible_host is not an IP address"
            } else {
                "it has no ansible_host"
            };
            format!(
                "{found}, and heeler.toml needs one. heeler node add {name} --ssh USER@HOST finds it, and offers the \
                 node's lines"
            )
        }
    };
    notes.add(Part::LeftOut, &host.name, host.line, why);
    None
}

/// The host's name as Proxmox takes it. None when no part of it is one, as of an address.
fn node_name(host: &Host) -> Option<NodeName> {
    if host.name.parse::<IpAddr>().is_ok() {
        return None;
    }
    accepted::node_name(&host.name).or_else(|| {
        let first = host.name.split('.').next().unwrap_or_default();
        let mended = first.to_ascii_lowercase().replace('_', "-");
        accepted::node_name(mended.trim_matches('-'))
    })
}

/// User, locale and time zone of each host.
fn personal<'p>(seen: &[Seen<'p>], notes: &mut Notes) -> Vec<Own<'p>> {
    let of = |one: &Seen<'p>| {
        let login = one.said(Meaning::Login, KEYS[0], accepted::user_name, notes);
        let user = one.said(Meaning::User, KEYS[0], accepted::user_name, notes);
        if let Some(user) = &user {
            let (name, line) = (&user.variable.name, user.variable.line);
            let (part, text) = match &login {
                Some(login) if login.value != user.value => (
                    Part::LeftOut,
                    "SSH logs in as ansible_user, which is the user in heeler.toml",
                ),
                _ => (
                    Part::Changed,
                    "the playbook makes this login administrator of all of Proxmox. In heeler.toml it is the login of \
                     first contact alone: a stolen one opens less",
                ),
            };
            notes.add(part, name, line, text);
        }
        let locale = one.said(Meaning::Locale, KEYS[1], accepted::locale, notes);
        let timezone = one.said(Meaning::Timezone, KEYS[2], accepted::timezone, notes);
        [login.or(user), locale, timezone]
    };
    seen.iter().map(of).collect()
}

/// The keys that every host has with the same value: they go into `[defaults]`.
fn shared(personal: &[Own<'_>], notes: &mut Notes) -> Personal {
    std::array::from_fn(|key| {
        let first = personal.first()?[key].as_ref()?;
        let same = |one: &Own<'_>| one[key].as_ref().is_some_and(|other| other.value == first.value);
        if !personal.iter().all(same) {
            return None;
        }
        for said in personal.iter().filter_map(|one| one[key].as_ref()) {
            let text = format!("[defaults] {} = \"{}\"", KEYS[key], first.value);
            notes.add(Part::Taken, &said.variable.name, said.variable.line, text);
        }
        Some(first.value.clone())
    })
}

/// Notes on the variables that heeler.toml has nothing for.
fn others(seen: &[Seen<'_>], notes: &mut Notes) {
    let mut used: BTreeMap<(usize, &str), &Variable> = BTreeMap::new();
    for one in seen {
        used.extend(
            one.variables
                .values()
                .map(|variable| ((variable.line, variable.name.as_str()), *variable)),
        );
        if one.host.port.is_some_and(|port| port != 22) {
            notes.add(Part::LeftOut, &one.host.name, one.host.line, PORT);
        }
    }
    for variable in used.into_values() {
        let (part, text) = match meaning(&variable.name) {
            Meaning::Nothing(text) => (Part::LeftOut, text),
            Meaning::Port if variable.value.text() != "22" => (Part::LeftOut, PORT),
            Meaning::Connection => (Part::LeftOut, "heeler node add always uses your own ssh"),
            Meaning::SshOptions => match is_about_host_keys(variable) {
                true => (
                    Part::Changed,
                    "Heeler pins the SSH host key of each node and stops when it changes: no other machine gets your \
                     sudo password",
                ),
                false => (
                    Part::LeftOut,
                    "heeler node add uses your own ssh: write options into ~/.ssh/config",
                ),
            },
            _ if variable.value.is_cut() => (
                Part::Changed,
                "Ansible takes the # and the text after it as part of the value; heeler.toml has the value alone",
            ),
            _ => continue,
        };
        notes.add(part, &variable.name, variable.line, text);
    }
}

/// Whether the options for ssh are about host keys, which many switch off for Ansible.
fn is_about_host_keys(variable: &Variable) -> bool {
    let text = variable.value.text();
    variable.name.contains("host_key") || text.contains("HostKey") || text.contains("KnownHosts")
}

const PORT: &str = "heeler.toml has no port: write Port for this host into ~/.ssh/config, which heeler node add uses";

/// Notes on what the playbook does without a variable.
fn playbook(seen: &[Seen<'_>], beside: &[&str], notes: &mut Notes) {
    if seen.iter().any(|one| one.node.is_some()) {
        for (what, text) in [
            (
                "addresses",
                "the playbook makes permanent what DHCP gave at that moment. heeler.toml says the address: reserve it \
                 in your router, so that no other machine gets it",
            ),
            (
                "disks",
                "the playbook takes /dev/nvme0n1 and /dev/nvme1n1, whichever disks these are, and overwrites what they \
                 hold. heeler.toml names disks by serial, and Heeler takes blank ones alone. An inventory has no \
                 serials: heeler node add offers each node's line, heeler disk list shows them",
            ),
            (
                "pools",
                "the playbook sets no limit for ZFS's cache, and no schedule for scrubs and snapshots. Without a word \
                 in heeler.toml each pool gets all three",
            ),
            (
                "order of hosts",
                "the playbook lets the first host make the cluster, also after a new card. In heeler.toml the order \
                 means nothing",
            ),
        ] {
            notes.add(Part::Changed, what, 0, text);
        }
    }
    for name in beside {
        let text = "Heeler reads the inventory alone: compare these variables with heeler.toml by hand";
        notes.add(Part::LeftOut, name, 0, text);
    }
}
