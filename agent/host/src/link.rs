//! The name of a network card, pinned by its hardware address (systemd.link(5)).

use std::time::Duration;

use crate::{Command, File};

/// The backplane's card on every node. No kernel gives such a name, and Proxmox takes it for a card's.
pub const BACKPLANE: &str = "enbp0";
/// Before the system's own files, whichever way predictable names are switched.
pub const PATH: &str = "/etc/systemd/network/10-enbp0.link";

/// Pins [`BACKPLANE`] to the card with this hardware address. `Type=ether` keeps it away from bridges and VLANs, which
/// may have the same one.
#[must_use]
pub fn file(mac: &str) -> File {
    let text = format!("# Written by Heeler.\n[Match]\nMACAddress={mac}\nType=ether\n\n[Link]\nName={BACKPLANE}\n");
    File::text(PATH, text)
}

/// The hardware address that a file of ours pins.
#[must_use]
pub fn pinned(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    let mac = lines.find_map(|line| line.strip_prefix("MACAddress="))?;
    Some(mac.trim().to_ascii_lowercase())
}

/// udev reads its files again.
#[must_use]
pub fn reload() -> Command {
    Command::new("udevadm")
        .args(["control", "--reload"])
        .timeout(Duration::from_secs(5))
}

/// udev names the card anew; returns when it has.
#[must_use]
pub fn apply(name: &str) -> Command {
    let command = Command::new("udevadm").timeout(Duration::from_secs(15));
    command.args([
        "trigger",
        "--action=add",
        "--settle",
        "--subsystem-match=net",
        &format!("--sysname-match={name}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_read_back() {
        let file = file("00:e0:4c:68:00:01");
        let text = String::from_utf8(file.content.bytes().clone()).unwrap();
        assert_eq!(pinned(&text).as_deref(), Some("00:e0:4c:68:00:01"));
        assert_eq!(pinned("[Match]\nDriver=r8152\n"), None);
    }
}
