use super::Claim;
use super::folder::{Found, files};
use super::ini::{Entry, entries};
use super::pattern::{is_pattern, matches};
use crate::facts::Nic;
use crate::guard::Written;
use crate::{RunError, System, link, networkd};

/// A file in an earlier folder hides a file of the same name in a later one (systemd.network(5)).
const FOLDERS: [&str; 4] = [
    "/etc/systemd/network",
    "/run/systemd/network",
    "/usr/local/lib/systemd/network",
    "/usr/lib/systemd/network",
];
/// The file that netplan generates from Heeler's.
const OURS: &str = "10-netplan-enbp0.network";
/// What netplan generates from any file. It is skipped: the netplan file itself is read instead.
const NETPLANS: &str = "/run/systemd/network/10-netplan-";

/// The .link files that apply to the card before Heeler's does (systemd.link(5): the first match by name applies).
pub(super) async fn link_claims(host: &dyn System, nic: &Nic) -> Result<Vec<Claim>, RunError> {
    let ours = link::PATH.rsplit('/').next().unwrap_or_default();
    let mut claims = drop_ins(host, ours).await?;
    for file in files(host, &FOLDERS, ".link").await? {
        if file.path != link::PATH && !file.path.starts_with(NETPLANS) {
            claims.extend(of_file(
                &file,
                nic,
                "OriginalName",
                &[&nic.name],
                file.name.as_str() < ours,
            ));
        }
    }
    Ok(claims)
}

/// The .network files that systemd-networkd uses for the card instead of Heeler's. With ifupdown, networkd must not
/// configure the card at all: then every match counts, if networkd runs or starts at boot.
pub(super) async fn network_claims(host: &dyn System, nic: &Nic, written: Written) -> Result<Vec<Claim>, RunError> {
    if written == Written::Interfaces && !networkd::runs(host, networkd::UNIT).await {
        return Ok(Vec::new());
    }
    let mut claims = drop_ins(host, OURS).await?;
    for file in files(host, &FOLDERS, ".network").await? {
        if file.name == OURS && !file.path.starts_with(NETPLANS) {
            claims.push(Claim::at(&file.path, &file.text, 1, true));
        } else if !file.path.starts_with(NETPLANS) {
            let first = written == Written::Interfaces || file.name.as_str() < OURS;
            claims.extend(of_file(&file, nic, "Name", &[link::BACKPLANE, &nic.name], first));
        }
    }
    Ok(claims)
}

/// The drop-in files of one of Heeler's files.
async fn drop_ins(host: &dyn System, ours: &str) -> Result<Vec<Claim>, RunError> {
    let folders = FOLDERS.map(|folder| format!("{folder}/{ours}.d"));
    let found = files(host, &folders.each_ref().map(String::as_str), ".conf").await?;
    let claims = found.iter().map(|file| Claim::at(&file.path, &file.text, 1, true));
    Ok(claims.collect())
}

/// The claim of one file. `by_name` is the key that matches names, `names[0]` the card's name at the time when the
/// file is read; `first` says that the file comes before Heeler's.
fn of_file(file: &Found, nic: &Nic, by_name: &str, names: &[&str], first: bool) -> Option<Claim> {
    let entries = entries(&file.text);
    let own: Vec<&Entry<'_>> = entries.iter().filter(|one| one.section == "Match").collect();
    let takes = |name: &str| allows(&own, by_name, name, nic);
    let exact = own.iter().any(|one| match one.key {
        "MACAddress" | "PermanentMACAddress" => true,
        key => key == by_name && one.value.split_whitespace().any(|word| !is_pattern(word)),
    });
    let wins = first && takes(names[0]);
    let named = exact && names.iter().any(|name| takes(name));
    let line = own.first().map_or(1, |one| one.line);
    (wins || named).then(|| Claim::at(&file.path, &file.text, line, wins))
}

type Matches<'a> = &'a dyn Fn(&str) -> bool;

/// Whether `[Match]` allows the card. A condition that cannot be checked here counts as met.
fn allows(own: &[&Entry<'_>], by_name: &str, name: &str, nic: &Nic) -> bool {
    let mac = digits(&nic.mac);
    let is_mac = |word: &str| digits(word) == mac;
    // Only virtual devices and Wi-Fi have the last four.
    let none = |_: &str| false;
    let keys: [(&str, Matches<'_>); 9] = [
        (by_name, &|word| matches(word, name)),
        ("MACAddress", &is_mac),
        ("PermanentMACAddress", &is_mac),
        ("Driver", &|word| matches(word, &nic.driver)),
        ("Type", &|word| matches(word, "ether")),
        ("Kind", &none),
        ("SSID", &none),
        ("BSSID", &none),
        ("WLANInterfaceType", &none),
    ];
    keys.iter().all(|(key, hits)| meets(own, key, *hits))
}

/// Whether the lines of one key allow a card: systemd reads them as one list, and an empty line clears it.
fn meets(own: &[&Entry<'_>], key: &str, hits: &dyn Fn(&str) -> bool) -> bool {
    let (mut asked, mut hit, mut never) = (false, false, false);
    for one in own.iter().filter(|one| one.key == key) {
        if one.value.is_empty() {
            (asked, hit, never) = (false, false, false);
        }
        let (not, value) = match one.value.strip_prefix('!') {
            Some(value) => (true, value),
            None => (false, one.value),
        };
        for word in value.split_whitespace() {
            let hits = hits(word.trim_matches(['"', '\'']));
            match not {
                true => never |= hits,
                false => (asked, hit) = (true, hit || hits),
            }
        }
    }
    !never && (hit || !asked)
}

fn digits(mac: &str) -> String {
    mac.chars()
        .filter(char::is_ascii_hexdigit)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wins(text: &str, first: bool) -> Option<bool> {
        let nic = Nic {
            name: "eth1".into(),
            mac: "00:e0:4c:68:00:01".into(),
            driver: "r8152".into(),
            ..Nic::default()
        };
        let file = Found {
            name: "x.network".into(),
            path: "/etc/systemd/network/x.network".into(),
            text: text.into(),
        };
        of_file(&file, &nic, "Name", &["enbp0", "eth1"], first).map(|claim| claim.wins)
    }

    #[test]
    fn the_first_file_that_matches_wins() {
        for text in [
            "[Match]\nName=en*\n",
            "[Match]\nName=eth* en*\nType=ether\n",
            "[Match]\nName=!eth*\n",
            "[Match]\nDriver=r8152\n",
            "[Match]\nMACAddress=00E0.4C68.0001\n",
            "[Match]\nPermanentMACAddress=00:e0:4c:68:00:01 00:e0:4c:68:00:02\n",
            "[Network]\nDHCP=yes\n",
            "[Match]\nKind=!bridge\n",
            "[Match]\nPath=platform-*\n",
            "[Match]\nName=eth0\nName=en*\n",
            "[Match]\nName=en*\nName=eth0\n",
            "[Match]\nName=eth0\n\n[Match]\nName=en*\n",
            "[Match]\nName=eth0 \\\n  en*\n",
            "[Match]\nName=\"en*\"\n",
            "[Match]\nMACAddress=2c:cf:67:00:00:01\nMACAddress=00:e0:4c:68:00:01\n",
            "[Match]\nName=eth0\nName=\nType=ether\n",
            "[Match]\nName=!eth0\nName=!eth1\n",
        ] {
            assert_eq!(wins(text, true), Some(true), "{text}");
        }
    }

    #[test]
    fn a_file_of_other_cards_is_left_alone() {
        for text in [
            "[Match]\nName=eth*\n",
            "[Match]\nName=!en*\n",
            "[Match]\nName=eth0\n",
            "[Match]\nDriver=macb\n",
            "[Match]\nType=wlan\n",
            "[Match]\nKind=veth\nName=*\n",
            "[Match]\nMACAddress=2c:cf:67:00:00:01\n",
            "[Match]\nName=en*\nMACAddress=2c:cf:67:00:00:01\n",
            "[Match]\nName=en*\nName=!enbp0\n",
            "[Match]\nName=en*\nName=\nName=eth0\n",
            "[Match]\nName=eth0\nName=eth2\n",
        ] {
            assert_eq!(wins(text, true), None, "{text}");
        }
        assert_eq!(wins("[Match]\nName=en*\n", false), None);
    }

    #[test]
    fn a_file_that_only_names_the_card_is_found() {
        assert_eq!(wins("[Match]\nName=eth1\n", true), Some(false));
        assert_eq!(wins("[Match]\nMACAddress=00:e0:4c:68:00:01\n", false), Some(false));
    }
}
