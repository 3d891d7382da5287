use std::path::Path;

use super::folder::{Found, files};
use super::pattern::{is_pattern, matches};
use super::{Claim, yaml};
use crate::facts::Nic;
use crate::guard::Written;
use crate::{RunError, System, link, netplan};

/// netplan's folders. A name in an earlier folder hides the same name in a later one (netplan-generate(8)).
const FOLDERS: [&str; 3] = ["/run/netplan", "/etc/netplan", "/usr/lib/netplan"];

/// What netplan's other files say about the card. Empty when netplan is not installed: then nothing reads them.
pub(super) async fn claims(host: &dyn System, nic: &Nic, written: Written) -> Result<Vec<Claim>, RunError> {
    if !netplan::is_installed(host).await {
        return Ok(Vec::new());
    }
    let files = files(host, &FOLDERS, ".yaml").await?;
    let by_default = files.iter().rev().find_map(default_renderer).unwrap_or_default();
    let others = files.iter().filter(|file| file.path != netplan::PATH);
    Ok(others
        .flat_map(|file| of_file(file, nic, written, &by_default))
        .collect())
}

fn default_renderer(file: &Found) -> Option<String> {
    let entries = yaml::entries(&file.text).ok()?;
    let found = entries.into_iter().find(|one| one.path == ["network", "renderer"]);
    found.map(|one| one.value)
}

fn of_file(file: &Found, nic: &Nic, written: Written, by_default: &str) -> Vec<Claim> {
    let claim = |line: usize, wins: bool| Claim::at(&file.path, &file.text, line, wins);
    // netplan reads it instead of Heeler's file of the same name.
    if written == Written::Netplan && Path::new(&file.path).file_name() == Path::new(netplan::PATH).file_name() {
        return vec![claim(1, true)];
    }
    let entries = match yaml::entries(&file.text) {
        Ok(entries) => entries,
        // The file may be about this card, so it counts.
        Err(line) => return vec![claim(line, true)],
    };
    let mut claims = Vec::new();
    for one in &entries {
        let path: Vec<&str> = one.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["network", "ethernets", id] => {
                let stanza = Stanza::of(&entries, id, by_default);
                if let Some(wins) = stanza.claims(file, nic, written) {
                    claims.push(claim(one.line, wins));
                }
            }
            ["network", "bridges" | "bonds" | "vrfs", _, "interfaces", "-"] | ["network", "vlans", _, "link"]
                if [nic.name.as_str(), link::BACKPLANE].contains(&one.value.as_str()) =>
            {
                claims.push(claim(one.line, true));
            }
            _ => {}
        }
    }
    claims
}

/// The `match` part of one stanza.
struct Stanza<'e> {
    id: &'e str,
    has_match: bool,
    names: Vec<&'e str>,
    macs: Vec<&'e str>,
    drivers: Vec<&'e str>,
    new_name: Option<&'e str>,
    renderer: &'e str,
}

impl<'e> Stanza<'e> {
    fn of(entries: &'e [yaml::Entry], id: &'e str, by_default: &'e str) -> Self {
        let within = |below: &[&str]| -> Vec<&'e str> {
            let path = [&["network", "ethernets", id], below].concat();
            let item = [path.as_slice(), &["-"]].concat();
            let own = entries.iter().filter(|one| one.path == path || one.path == item);
            own.map(|one| one.value.as_str())
                .filter(|value| !value.is_empty())
                .collect()
        };
        let head = ["network", "ethernets", id, "match"];
        Self {
            id,
            has_match: entries.iter().any(|one| one.path == head),
            names: within(&["match", "name"]),
            macs: within(&["match", "macaddress"]),
            drivers: within(&["match", "driver"]),
            new_name: within(&["set-name"]).first().copied(),
            renderer: within(&["renderer"]).first().copied().unwrap_or(by_default),
        }
    }

    /// Whether the stanza in `file` wins over Heeler's; None when it does not concern the card.
    fn claims(&self, file: &Found, nic: &Nic, written: Written) -> Option<bool> {
        // netplan merges stanzas of the same id.
        if self.id == link::BACKPLANE && (!self.has_match || written == Written::Netplan) {
            return Some(true);
        }
        let is = |of: &[&str], text: &str| of.is_empty() || of.iter().any(|one| matches(one, text));
        let hardware = is(&self.macs, &nic.mac) && is(&self.drivers, &nic.driver);
        let (by_new, by_old) = match self.has_match {
            true => (is(&self.names, link::BACKPLANE), is(&self.names, &nic.name)),
            false => (false, self.id == nic.name),
        };
        let exact = !self.has_match || !self.macs.is_empty() || self.names.iter().any(|name| !is_pattern(name));
        let names = hardware && exact && (by_new || by_old);
        // netplan's udev rule then renames the card after Heeler's file has named it.
        let renames = self.new_name.is_some() && (!self.macs.is_empty() || !self.drivers.is_empty());
        let wins = hardware
            && match self.new_name {
                Some(_) => renames && (by_new || by_old),
                None => by_new && self.comes_first(file, written),
            };
        (wins || names).then_some(wins)
    }

    /// Whether the stanza takes precedence: systemd-networkd uses the first file by name, NetworkManager the last of
    /// netplan's rules.
    fn comes_first(&self, file: &Found, written: Written) -> bool {
        let all_of_its_kind =
            self.has_match && self.names.is_empty() && self.macs.is_empty() && self.drivers.is_empty();
        match (self.renderer, written) {
            ("NetworkManager", Written::Netplan) => {
                all_of_its_kind || Some(file.name.as_str()) > netplan::PATH.rsplit('/').next()
            }
            (_, Written::Netplan) => self.id < link::BACKPLANE,
            (_, Written::Interfaces) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str, written: Written) -> Vec<(usize, bool)> {
        let nic = Nic {
            name: "enx00e04c680001".into(),
            mac: "00:e0:4c:68:00:01".into(),
            driver: "r8152".into(),
            ..Nic::default()
        };
        let (name, path, text) = (name.to_owned(), format!("/etc/netplan/{name}"), text.to_owned());
        let claims = of_file(&Found { name, path, text }, &nic, written, "");
        claims.into_iter().map(|claim| (claim.line, claim.wins)).collect()
    }

    fn stanza(id: &str, rest: &str) -> String {
        format!("network:\n  ethernets:\n    {id}: {{{rest}}}\n")
    }

    #[test]
    fn a_stanza_that_takes_the_card_wins() {
        for (id, rest) in [
            ("all-en", "match: {name: \"en*\"}"),
            ("a", "match: {name: en*, driver: [r8152, r8169]}"),
            ("a", "match: {driver: \"r81*\"}"),
            ("a", "match: {}"),
            ("a", "match: {macaddress: \"00:E0:4C:68:00:01\"}"),
            ("zz", "match: {macaddress: \"00:e0:4c:68:00:01\"}, set-name: lan1"),
            ("enbp0", "dhcp4: true"),
            ("a", "renderer: NetworkManager, match: {}"),
        ] {
            let text = stanza(id, rest);
            assert_eq!(of("50-x.yaml", &text, Written::Netplan), [(3, true)], "{text}");
        }
        let bridge = "network:\n  bridges:\n    br0:\n      interfaces: [eth0, enx00e04c680001]\n";
        assert_eq!(of("50-x.yaml", bridge, Written::Netplan), [(4, true)]);
        let later = stanza("zz", "match: {name: \"en*\"}");
        assert_eq!(of("50-x.yaml", &later, Written::Netplan), []);
        assert_eq!(of("50-x.yaml", &later, Written::Interfaces), [(3, true)]);
    }

    #[test]
    fn a_stanza_that_only_names_the_card_is_found() {
        for (id, rest) in [
            ("enx00e04c680001", "dhcp4: true"),
            ("x", "match: {name: enx00e04c680001}"),
            ("zz", "match: {macaddress: \"00:e0:4c:68:00:01\"}"),
        ] {
            assert_eq!(
                of("50-x.yaml", &stanza(id, rest), Written::Netplan),
                [(3, false)],
                "{id}"
            );
        }
    }

    #[test]
    fn a_stanza_of_another_card_is_left_alone() {
        for (id, rest) in [
            ("eth0", "dhcp4: true"),
            ("all-eth", "match: {name: \"eth*\"}"),
            ("a", "match: {name: \"en*\", driver: macb}"),
            ("a", "match: {name: \"en*\", macaddress: \"2c:cf:67:00:00:01\"}"),
        ] {
            assert_eq!(of("50-x.yaml", &stanza(id, rest), Written::Netplan), [], "{id} {rest}");
        }
    }

    #[test]
    fn network_manager_heeds_the_last_rule() {
        let text = "network:\n  renderer: NetworkManager\n  ethernets:\n    a:\n      renderer: NetworkManager\n      match: {name: \"en*\"}\n";
        assert_eq!(of("50-x.yaml", text, Written::Netplan), []);
        assert_eq!(of("90-NM.yaml", text, Written::Netplan), [(4, true)]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_passed_over() {
        assert_eq!(of("50-x.yaml", "network:\n  a: &b\n", Written::Netplan), [(2, true)]);
    }
}
