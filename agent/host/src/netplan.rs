//! `netplan`: the backplane's card alone, by systemd-networkd; whoever has the others keeps them.

use std::time::Duration;

use crate::{Command, Content, File};

/// After what the image and NetworkManager write.
pub const PATH: &str = "/etc/netplan/60-heeler-backplane.yaml";

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
