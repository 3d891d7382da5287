//! A bridge of ifupdown2 in `/etc/network/interfaces` (interfaces(5), ifupdown-addons-interfaces(5)), and the name of the card
//! in it.

use crate::File;

/// The name that the LAN's card gets. The kernel and udev give no such name, and Proxmox accepts it as the name of a
/// physical card.
pub const CARD: &str = "enlan0";
/// Sorts before the distribution's files, so it applies first.
pub const CARD_PATH: &str = "/etc/systemd/network/10-enlan0.link";

/// The file that names the card with this hardware address [`CARD`]. `Type=ether` excludes the bridge, which has the
/// same address.
pub fn card_file(mac: &str) -> File {
    let text = format!("# Written by Heeler.\n[Match]\nMACAddress={mac}\nType=ether\n\n[Link]\nName={CARD}\n");
    File::text(CARD_PATH, text)
}

/// The lines that make the bridge `name` with this address (with prefix length), the default route through `gateway`,
/// and the card in it.
pub fn stanzas(name: &str, address: &str, gateway: &str) -> String {
    format!(
        "iface {CARD} inet manual\n\nauto {name}\niface {name} inet static\n        address {address}\n        gateway \
         {gateway}\n        bridge-ports {CARD}\n        bridge-stp off\n        bridge-fd 0"
    )
}

/// An `iface` stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza {
    /// Number of its first line, from 1.
    pub line: usize,
    /// Name of the interface.
    pub name: String,
    /// `static`, `dhcp`, `manual`, `loopback`…
    pub method: String,
    /// Its other lines: the word and the rest.
    pub options: Vec<(String, String)>,
    /// Whether Heeler wrote it: it stands in a marked block.
    pub own: bool,
}

impl Stanza {
    /// The rest of the first line that begins with `word`.
    pub fn option(&self, word: &str) -> Option<&str> {
        // bridge_ports is the same as bridge-ports.
        let is = |one: &str| one.replace('_', "-") == word;
        self.options
            .iter()
            .find(|(one, _)| is(one))
            .map(|(_, rest)| rest.as_str())
    }

    /// Its address with prefix length; None without one.
    pub fn address(&self) -> Option<String> {
        let address = self.option("address")?;
        match self.option("netmask").filter(|_| !address.contains('/')) {
            None => Some(address.to_owned()),
            Some(mask) => match mask.parse::<std::net::Ipv4Addr>() {
                Ok(mask) => Some(format!("{address}/{}", mask.to_bits().leading_ones())),
                Err(_) => Some(format!("{address}/{mask}")),
            },
        }
    }

    /// The names of its ports.
    pub fn ports(&self) -> Vec<&str> {
        self.option("bridge-ports")
            .unwrap_or_default()
            .split_whitespace()
            .collect()
    }

    /// Whether it only names an interface: nothing is lost without it.
    pub fn is_empty(&self) -> bool {
        matches!(self.method.as_str(), "manual" | "loopback") && self.options.is_empty()
    }
}

/// The IPv4 stanzas of the file's `text`, in order.
pub fn stanzas_of(text: &str) -> Vec<Stanza> {
    let mut found: Vec<Stanza> = Vec::new();
    let (mut open, mut own) = (false, false);
    for (line, words) in (1..).zip(text.lines().map(str::trim)) {
        if words.starts_with("# heeler begin ") || words.starts_with("# heeler end ") {
            own = words.starts_with("# heeler begin ");
            open = false;
            continue;
        }
        let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let rest = rest.trim();
        match word {
            "" => {}
            _ if word.starts_with('#') => {}
            "iface" => {
                let mut parts = rest.split_whitespace();
                let (name, family, method) = (parts.next(), parts.next(), parts.next());
                open = matches!(family, None | Some("inet"));
                if let Some(name) = name.filter(|_| open) {
                    found.push(Stanza {
                        line,
                        name: name.to_owned(),
                        method: method.unwrap_or("manual").to_owned(),
                        options: Vec::new(),
                        own,
                    });
                }
            }
            "auto" | "mapping" | "source" | "source-directory" | "vlan" => open = false,
            _ if word.starts_with("allow-") => open = false,
            _ => {
                if let Some(last) = found.last_mut().filter(|_| open) {
                    last.options.push((word.to_owned(), rest.to_owned()));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_are_read_with_their_options() {
        let text = "auto lo\niface lo inet loopback\n\niface eth0 inet manual\n# a comment\nauto br0\niface br0 inet static\n\
                    \taddress 10.10.80.50\n\tnetmask 255.255.255.0\n\tbridge_ports eth0 eth1\niface br0 inet6 auto\n\
                    \taccept_ra 2\n";
        let found = stanzas_of(text);
        let names: Vec<_> = found.iter().map(|one| (one.line, one.name.as_str())).collect();
        assert_eq!(names, [(2, "lo"), (4, "eth0"), (7, "br0")]);
        assert!(found[0].is_empty() && found[1].is_empty() && !found[2].is_empty());
        assert_eq!(found[2].address().as_deref(), Some("10.10.80.50/24"));
        assert_eq!(found[2].ports(), ["eth0", "eth1"]);
        assert_eq!(found[2].option("accept-ra"), None);
    }

    #[test]
    fn what_heeler_writes_is_read_back_as_its_own() {
        let block = stanzas("vmbr0", "10.10.80.50/24", "10.10.80.1");
        let text = format!("iface lo inet loopback\n# heeler begin bridge\n{block}\n# heeler end bridge\nauto x\n");
        let found = stanzas_of(&text);
        assert_eq!(found.iter().map(|one| one.own).collect::<Vec<_>>(), [false, true, true]);
        let bridge = &found[2];
        assert_eq!(bridge.address().as_deref(), Some("10.10.80.50/24"));
        assert_eq!(bridge.option("gateway"), Some("10.10.80.1"));
        assert_eq!(bridge.ports(), [CARD]);
    }
}
