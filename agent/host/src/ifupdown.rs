//! ifupdown2, which configures the network of a Proxmox node: `/etc/network/interfaces` and `ifreload`.

use std::path::Path;
use std::time::Duration;

use crate::{Command, RunError, System};

/// The file that ifupdown2 reads and Proxmox writes.
pub const PATH: &str = "/etc/network/interfaces";

/// Changes that wait in Proxmox: `pvenetcommit.service` moves this file over [`PATH`] at the next boot.
pub const STAGED: &str = "/etc/network/interfaces.new";
/// The unit that applies [`PATH`] at boot.
pub const UNIT: &str = "networking.service";

/// `dpkg-query`: the installed version.
pub fn version_command() -> Command {
    Command::look("dpkg-query").args(["-W", "-f=${Version}", "ifupdown2"])
}

/// `ifreload -a`: applies the file; unchanged interfaces stay up.
pub fn apply() -> Command {
    Command::change("ifreload").arg("-a").timeout(Duration::from_secs(45))
}

/// `ifreload -a -s`: reads the file and checks its syntax; changes nothing.
pub fn check_syntax() -> Command {
    Command::change("ifreload")
        .args(["-a", "-s"])
        .timeout(Duration::from_secs(45))
}

/// Whether Proxmox's build of ifupdown2 is installed; Proxmox refuses any other (PVE::INotify, `incompatible
/// 'ifupdown2' package version`). Fails when dpkg-query cannot run.
pub async fn is_proxmoxs(host: &dyn System) -> Result<bool, RunError> {
    if host.mode(Path::new("/usr/sbin/ifreload")).await.is_err() {
        return Ok(false);
    }
    let output = host.run(&version_command()).await?;
    Ok(output.ok()
        && ["pve", "pmx", "proxmox"]
            .iter()
            .any(|mark| output.stdout.contains(mark)))
}

/// The stanzas that give the card `name` the address (with prefix length) at boot.
pub fn stanza(name: &str, address: &str) -> String {
    format!("auto {name}\niface {name} inet static\n        address {address}")
}

/// The address that the file's `text` gives the card; `Some("")` when the card has a stanza without one, None without
/// a stanza.
pub fn address_of(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        words == ["iface", name, "inet"]
    })?;
    let starts = |line: &&str| {
        ["iface", "auto", "allow-", "source", "mapping"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let body = lines.take_while(|line| !starts(line));
    let found = body.filter_map(|line| line.strip_prefix("address")).next();
    Some(found.unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as Proxmox writes it.
    const PVE: &str = "auto lo\niface lo inet loopback\n\niface enlan0 inet manual\n\nauto enbp0\niface enbp0 inet static\n\
                       \taddress 10.10.99.50/24\n#backplane\n\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.10.80.50/24\n\
                       \tgateway 10.10.80.1\n\tbridge-ports enlan0\n\nsource /etc/network/interfaces.d/*\n";

    #[test]
    fn a_cards_address_comes_from_its_own_stanza() {
        assert_eq!(address_of(PVE, "enbp0").as_deref(), Some("10.10.99.50/24"));
        assert_eq!(address_of(PVE, "vmbr0").as_deref(), Some("10.10.80.50/24"));
        assert_eq!(address_of(PVE, "enlan0").as_deref(), Some(""));
        assert_eq!(address_of(PVE, "enbp"), None);
        assert_eq!(
            address_of(&stanza("enbp0", "10.10.99.51/24"), "enbp0").as_deref(),
            Some("10.10.99.51/24")
        );
    }
}
