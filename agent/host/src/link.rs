//! Gives a network card a fixed name, by its hardware address (systemd.link(5)).

use std::time::Duration;

use crate::{Command, File};

/// The name of the backplane's card on every node. The kernel and udev give no such name, and Proxmox accepts it as
/// the name of a physical card.
pub const BACKPLANE: &str = "enbp0";
/// Sorts before the distribution's files, so it applies first.
pub const PATH: &str = "/etc/systemd/network/10-enbp0.link";

/// The file that names the card with this hardware address [`BACKPLANE`]. `Type=ether` excludes bridges and VLANs,
/// which may have the same address.
pub fn file(mac: &str) -> File {
    let text = format!("# Written by Heeler.\n[Match]\nMACAddress={mac}\nType=ether\n\n[Link]\nName={BACKPLANE}\n");
    File::text(PATH, text)
}

/// The hardware address in the text of such a file, in lower case; None when there is none.
pub fn pinned(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    let mac = lines.find_map(|line| line.strip_prefix("MACAddress="))?;
    Some(mac.trim().to_ascii_lowercase())
}

/// `udevadm control --reload`: udev reads its files again.
pub fn reload() -> Command {
    Command::change("udevadm")
        .args(["control", "--reload"])
        .timeout(Duration::from_secs(5))
}

/// `udevadm trigger` for the card, which makes udev rename it; returns when udev is done.
pub fn apply(name: &str) -> Command {
    let command = Command::change("udevadm").timeout(Duration::from_secs(15));
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
    fn a_pinned_address_is_read_back() {
        let file = file("00:e0:4c:68:00:01");
        let text = String::from_utf8(file.content.bytes().clone()).unwrap();
        assert_eq!(pinned(&text).as_deref(), Some("00:e0:4c:68:00:01"));
        assert_eq!(pinned("[Match]\nDriver=r8152\n"), None);
    }
}
