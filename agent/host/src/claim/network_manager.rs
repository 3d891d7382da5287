use super::Claim;
use super::folder::files;
use super::ini::{Entry, entries};
use super::pattern::matches;
use crate::facts::Nic;
use crate::{RunError, System, link, networkd};

/// In `/run` are those that netplan makes, and those that NetworkManager makes by itself for a card that has none
/// (`Wired connection 1`): no person wrote them.
const PROFILES: [&str; 2] = [
    "/etc/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
];
const SETTINGS: [&str; 3] = [
    "/etc/NetworkManager/conf.d",
    "/run/NetworkManager/conf.d",
    "/usr/lib/NetworkManager/conf.d",
];

/// The profiles that are for this card, and the settings that keep it NetworkManager's whatever netplan says. A profile for
/// any card is none: Heeler's file makes NetworkManager let go of this one.
pub(super) async fn claims(host: &dyn System, nic: &Nic) -> Result<Vec<Claim>, RunError> {
    if !networkd::runs(host, networkd::NETWORK_MANAGER).await {
        return Ok(Vec::new());
    }
    let mut claims = Vec::new();
    for file in files(host, &PROFILES, ".nmconnection").await? {
        let found = profile(&entries(&file.text), nic);
        claims.extend(found.map(|line| Claim::at(&file.path, &file.text, line, false)));
    }
    let mut settings = files(host, &SETTINGS, ".conf").await?;
    settings.retain(|file| file.path != "/run/NetworkManager/conf.d/netplan.conf");
    settings.extend(files(host, &["/etc/NetworkManager"], "NetworkManager.conf").await?);
    for file in settings {
        let found = managed(&entries(&file.text), nic);
        claims.extend(found.map(|line| Claim::at(&file.path, &file.text, line, true)));
    }
    Ok(claims)
}

/// The line by which a profile is for this card.
fn profile(entries: &[Entry<'_>], nic: &Nic) -> Option<usize> {
    let off = |one: &Entry<'_>| one.key == "autoconnect" && matches!(one.value, "false" | "no" | "0");
    let names = |one: &&Entry<'_>| match (one.section, one.key) {
        ("connection", "interface-name") => [nic.name.as_str(), link::BACKPLANE].contains(&one.value),
        ("ethernet" | "802-3-ethernet", "mac-address") => one.value.eq_ignore_ascii_case(&nic.mac),
        _ => false,
    };
    let found = entries.iter().find(names)?;
    (!entries.iter().any(off)).then_some(found.line)
}

/// The line that makes this card NetworkManager's (NetworkManager.conf(5), `[device]`).
fn managed(entries: &[Entry<'_>], nic: &Nic) -> Option<usize> {
    let mut managed = entries.iter().filter(|one| {
        one.section.starts_with("device") && one.key == "managed" && matches!(one.value, "1" | "true" | "yes")
    });
    let found = managed.find(|managed| {
        let which = entries
            .iter()
            .find(|one| one.place == managed.place && one.key == "match-device");
        which.is_none_or(|which| is_meant(which.value, nic))
    })?;
    Some(found.line)
}

/// Whether a list of devices holds this card (NetworkManager.conf(5), "Device List Format").
fn is_meant(list: &str, nic: &Nic) -> bool {
    let mut meant = false;
    for item in list.split([',', ';']).map(str::trim).filter(|item| !item.is_empty()) {
        let (except, item) = match item.strip_prefix("except:") {
            Some(item) => (true, item),
            None => (false, item),
        };
        let is = match item.split_once(':') {
            Some(("interface-name", name)) => matches(name.trim_start_matches(['=', '~']), link::BACKPLANE),
            Some(("mac", mac)) => mac.eq_ignore_ascii_case(&nic.mac),
            Some(("type", kind)) => kind == "ethernet",
            Some(("driver", driver)) => matches(driver, &nic.driver),
            _ => matches(item, link::BACKPLANE) || item.eq_ignore_ascii_case(&nic.mac),
        };
        match (except, is) {
            (true, true) => return false,
            (false, true) => meant = true,
            _ => {}
        }
    }
    meant
}
