use super::Claim;
use super::folder::files;
use super::ini::{Entry, entries};
use super::pattern::matches;
use crate::facts::Nic;
use crate::{RunError, System, link, networkd};

/// Without `/run`: there are profiles that netplan generates and those that NetworkManager makes itself for a card
/// without one (`Wired connection 1`); a person wrote neither.
const PROFILES: [&str; 2] = [
    "/etc/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
];
const SETTINGS: [&str; 3] = [
    "/etc/NetworkManager/conf.d",
    "/run/NetworkManager/conf.d",
    "/usr/lib/NetworkManager/conf.d",
];

/// The profiles for this card, and settings that let NetworkManager manage it whatever netplan says. A profile for
/// any card does not count: with Heeler's file NetworkManager does not manage this one.
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

/// The line of a profile that selects this card; None when the profile does not, or has autoconnect off.
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

/// The line that makes NetworkManager manage this card (NetworkManager.conf(5), section `device`).
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

/// Whether a device list includes this card (NetworkManager.conf(5), "Device List Format").
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
