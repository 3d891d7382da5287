use std::path::Path;

use super::Claim;
use super::folder::read;
use super::pattern::matches;
use crate::facts::Nic;
use crate::{RunError, System, link, networkd};

const PATH: &str = "/etc/dhcpcd.conf";
const PROGRAMS: [&str; 2] = ["/usr/sbin/dhcpcd", "/sbin/dhcpcd"];
const UNIT: &str = "dhcpcd.service";

/// What dhcpcd does with the card: as a service it configures every card that its file does not exclude
/// (dhcpcd.conf(5)). Empty when dhcpcd is not installed.
pub(super) async fn claims(host: &dyn System, nic: &Nic) -> Result<Vec<Claim>, RunError> {
    let runs = networkd::runs(host, UNIT).await;
    let mut installed = runs;
    for program in PROGRAMS {
        installed |= host.mode(Path::new(program)).await.is_ok();
    }
    if !installed {
        return Ok(Vec::new());
    }
    let text = read(host, PATH).await?;
    let line = of_text(&text, nic, runs);
    let mut claim = line.map(|line| Claim::at(PATH, &text, line, runs));
    if let Some(claim) = claim.as_mut().filter(|claim| !claim.text.starts_with("interface")) {
        "dhcpcd configures every card; add the line: denyinterfaces enbp0".clone_into(&mut claim.text);
    }
    Ok(claim.into_iter().collect())
}

/// The line about the card; as a service also the first line when nothing excludes the card.
fn of_text(text: &str, nic: &Nic, runs: bool) -> Option<usize> {
    let names = [link::BACKPLANE, &nic.name];
    let (mut named, mut denied, mut allowed) = (None, false, None);
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let mut patterns = words.flat_map(|word| word.split(','));
        match key {
            "interface" if patterns.any(|name| names.contains(&name)) => named = named.or(Some(index + 1)),
            "denyinterfaces" => denied |= patterns.any(|pattern| matches(pattern, link::BACKPLANE)),
            "allowinterfaces" => {
                let hit = patterns.any(|pattern| matches(pattern, link::BACKPLANE));
                allowed = Some(hit || allowed == Some(true));
            }
            _ => {}
        }
    }
    match denied || allowed == Some(false) {
        true => None,
        false => named.or(runs.then_some(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dhcpcd_takes_every_card_that_is_not_excluded() {
        let nic = Nic {
            name: "eth1".into(),
            ..Nic::default()
        };
        for (text, service, installed) in [
            ("", Some(1), None),
            (
                "hostname\ninterface eth1\nstatic ip_address=10.0.0.2/24\n",
                Some(2),
                Some(2),
            ),
            ("interface eth0\nstatic ip_address=10.0.0.2/24\n", Some(1), None),
            ("denyinterfaces enbp0\n", None, None),
            ("denyinterfaces wlan0 en*\ninterface enbp0\n", None, None),
            ("denyinterfaces eth1\n", Some(1), None),
            ("allowinterfaces eth0\n", None, None),
            ("allowinterfaces eth0,enbp0\n", Some(1), None),
        ] {
            assert_eq!(of_text(text, &nic, true), service, "{text}");
            assert_eq!(of_text(text, &nic, false), installed, "{text}");
        }
    }
}
