//! `netplan`: the backplane's card alone, by systemd-networkd; whoever has the others keeps them.

use std::path::Path;
use std::time::Duration;

use crate::{Command, Content, File, System, networkd};

/// After what the image and NetworkManager write.
pub const PATH: &str = "/etc/netplan/60-heeler-backplane.yaml";

const PROGRAM: &str = "/usr/sbin/netplan";

pub(crate) async fn is_installed(host: &dyn System) -> bool {
    host.mode(Path::new(PROGRAM)).await.is_ok()
}

/// What a card needs to come up by netplan and is not there, and what brings it, as a person types it.
pub async fn missing(host: &dyn System) -> Option<(&'static str, &'static str)> {
    let programs = [
        (PROGRAM, "apt install netplan.io"),
        ("/usr/bin/networkctl", "apt install --reinstall systemd"),
        ("/usr/bin/udevadm", "apt install --reinstall udev"),
    ];
    for (program, cure) in programs {
        if host.mode(Path::new(program)).await.is_err() {
            return Some((program, cure));
        }
    }
    let unit = host.unit_state(networkd::UNIT).await;
    match unit.is_ok_and(|unit| unit.load == "masked") {
        true => Some((networkd::UNIT, "systemctl unmask systemd-networkd.service")),
        false => None,
    }
}

/// `address` (with prefix length) on the card `name`: no router, no DHCP, and no boot that waits for a cable.
#[must_use]
pub fn file(name: &str, address: &str) -> File {
    let text = format!(
        "# Written by Heeler.\n\
         network:\n  \
           version: 2\n  \
           ethernets:\n    \
             {name}:\n      \
               renderer: networkd\n      \
               addresses: [\"{address}\"]\n      \
               dhcp4: false\n      \
               dhcp6: false\n      \
               accept-ra: false\n      \
               link-local: []\n      \
               optional: true\n"
    );
    File {
        path: PATH.into(),
        content: Content::Plain(text.into_bytes()),
        // netplan complains of files that others can read.
        mode: 0o600,
    }
}

/// Makes what systemd-networkd, NetworkManager and udev go by. `netplan apply` would do that too, and then take down and up
/// again every card that NetworkManager has: the one that the session comes over (tried, 1.1.2).
#[must_use]
pub fn generate() -> Command {
    Command::new("netplan").arg("generate").timeout(Duration::from_secs(30))
}
