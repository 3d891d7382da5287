use super::Claim;
use super::folder::{Found, files, read};
use super::pattern::matches;
use crate::facts::Nic;
use crate::guard::Written;
use crate::{RunError, System, ifupdown, link};

/// ifupdown2 has both, ifupdown only the first.
const PROGRAMS: [&str; 2] = ["/usr/sbin/ifup", "/usr/sbin/ifreload"];
/// The most files that are read: files may include each other in a circle.
const MOST: usize = 64;

/// What the files of ifupdown say about the card, without Heeler's own stanza. Empty when ifupdown is not installed.
pub(super) async fn claims(host: &dyn System, nic: &Nic, written: Written) -> Result<Vec<Claim>, RunError> {
    let mut installed = false;
    for program in PROGRAMS {
        installed |= host.mode(std::path::Path::new(program)).await.is_ok();
    }
    let mut claims = Vec::new();
    if installed {
        for file in all(host).await? {
            claims.extend(of_file(&file, nic, written));
        }
    }
    Ok(claims)
}

/// `/etc/network/interfaces` and all files that it includes (interfaces(5)).
async fn all(host: &dyn System) -> Result<Vec<Found>, RunError> {
    let mut found: Vec<Found> = Vec::new();
    let mut wanted = vec![ifupdown::PATH.to_owned()];
    while let Some(path) = wanted.pop() {
        let known = found.iter().any(|file| file.path == path);
        if known || found.len() == MOST {
            continue;
        }
        let text = read(host, &path).await?;
        for line in text.lines().map(str::trim) {
            let Some((word, target)) = line.split_once(char::is_whitespace) else {
                continue;
            };
            let target = target.trim();
            let target = match target.starts_with('/') {
                true => target.to_owned(),
                false => format!("/etc/network/{target}"),
            };
            let (folder, pattern) = match (word, target.rsplit_once('/')) {
                ("source-directory", _) => (target.as_str(), "*"),
                ("source", Some(parts)) => parts,
                _ => continue,
            };
            let inside = files(host, &[folder], "").await?;
            let drawn = inside.into_iter().filter(|file| matches(pattern, &file.name));
            wanted.extend(drawn.map(|file| file.path));
        }
        let name = String::new();
        found.push(Found { name, path, text });
    }
    Ok(found)
}

fn of_file(file: &Found, nic: &Nic, written: Written) -> Vec<Claim> {
    let names = [nic.name.as_str(), link::BACKPLANE];
    let ours = written == Written::Interfaces && file.path == ifupdown::PATH;
    let mut claims = Vec::new();
    // The card and first line of the present stanza; None outside a stanza of these cards and once it is reported.
    let mut stanza: Option<(&str, usize)> = None;
    for (index, line) in file.text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut tell = |line: usize, name: &str| {
            let wins = name.is_empty() || matches(name, link::BACKPLANE);
            claims.push(Claim::at(&file.path, &file.text, line, wins));
        };
        match words.as_slice() {
            [] => {}
            [word, ..] if word.starts_with('#') => {}
            ["iface", name, rest @ ..] => {
                // Heeler writes this stanza itself, or checks it in the step that writes it.
                let is_own = ours && *name == link::BACKPLANE;
                stanza = (names.iter().any(|card| matches(name, card)) && !is_own).then_some((name, index + 1));
                if let (Some((name, at)), ["inet" | "inet6", method, ..]) = (stanza, rest)
                    && !matches!(*method, "manual" | "static")
                {
                    tell(at, name);
                    stanza = None;
                }
            }
            [
                "bridge-ports" | "bridge_ports" | "bond-slaves" | "slaves" | "ovs_ports",
                ports @ ..,
            ] if ports
                .iter()
                .any(|port| names.iter().any(|name| takes(ports, port, name))) =>
            {
                tell(index + 1, "");
            }
            ["address", ..] => {
                if let Some((name, at)) = stanza.take() {
                    tell(at, name);
                }
            }
            [word, ..] if matches!(*word, "auto" | "mapping" | "source") || word.starts_with("allow-") => stanza = None,
            _ => {}
        }
    }
    claims
}

/// Whether `port`, one word of `ports`, selects the card. After `regex` and `glob` every word counts that can match it.
fn takes(ports: &[&str], port: &str, name: &str) -> bool {
    let start = port.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(port.len());
    // The character before a repetition need not be there.
    let start = match port.as_bytes().get(start) {
        Some(b'*' | b'?' | b'{') => start.saturating_sub(1),
        _ => start,
    };
    let can_match = port.contains('|') || name.starts_with(&port[..start]);
    let words = ["regex", "glob", "noregex", "exclude", "none"];
    port == "all"
        || matches(port, name)
        || ports.iter().any(|word| matches!(*word, "regex" | "glob")) && !words.contains(&port) && can_match
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str, written: Written) -> Vec<(usize, bool)> {
        let nic = Nic {
            name: "eth1".into(),
            ..Nic::default()
        };
        let file = Found {
            name: String::new(),
            path: path.into(),
            text: text.into(),
        };
        let claims = of_file(&file, &nic, written);
        claims.into_iter().map(|claim| (claim.line, claim.wins)).collect()
    }

    #[test]
    fn stanzas_that_configure_the_card_are_found() {
        let own = "iface enbp0 inet static\n  address 10.10.99.50/24\n";
        for (text, expected) in [
            ("auto eth1\niface eth1 inet dhcp\n", vec![(2, false)]),
            ("iface eth1 inet static\n  address 10.0.0.2/24\n", vec![(1, false)]),
            (
                "iface br0 inet static\n  address 10.0.0.2/24\n  bridge-ports eth0 eth1\n",
                vec![(3, true)],
            ),
            ("iface br0 inet manual\n  bridge_ports all\n", vec![(2, true)]),
            ("iface br0 inet manual\n  bridge_ports regex e.*\n", vec![(2, true)]),
            (
                "iface br0 inet manual\n  bridge_ports eth0 regex (usb|eth)1\n",
                vec![(2, true)],
            ),
            ("iface br0 inet manual\n  bridge-ports glob eth1*\n", vec![(2, true)]),
            ("iface br0 inet manual\n  bridge-ports regex wlan.*\n", vec![]),
            ("iface br0 inet manual\n  bridge-ports none\n", vec![]),
            ("iface eth[0-1] inet dhcp\n", vec![(1, false)]),
            (own, vec![(1, true)]),
            ("iface eth1 inet manual\niface eth0 inet dhcp\n", vec![]),
            ("# iface eth1 inet dhcp\niface eth10 inet dhcp\n", vec![]),
        ] {
            assert_eq!(
                found("/etc/network/interfaces.d/x", text, Written::Interfaces),
                expected,
                "{text}"
            );
            assert_eq!(
                found("/etc/network/interfaces", text, Written::Netplan),
                expected,
                "{text}"
            );
        }
        assert_eq!(found("/etc/network/interfaces", own, Written::Interfaces), []);
    }
}
