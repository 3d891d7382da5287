//! `netplan`: configures only the backplane's card, with systemd-networkd; the other cards stay as they are.

use std::path::Path;
use std::time::Duration;

use crate::{Command, Content, File, System, networkd};

/// Sorts after the files that the image and NetworkManager write.
pub const PATH: &str = "/etc/netplan/60-heeler-backplane.yaml";

const PROGRAM: &str = "/usr/sbin/netplan";

pub(crate) async fn is_installed(host: &dyn System) -> bool {
    host.mode(Path::new(PROGRAM)).await.is_ok()
}

/// The first program that netplan needs and that is absent or masked, and the command that installs or unmasks it.
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

/// The file that gives the card `name` the address (with prefix length): no router, no DHCP, and the boot does not
/// wait for a cable.
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
        // netplan warns about files that others can read.
        mode: 0o600,
    }
}

/// `netplan generate`: writes the files of systemd-networkd, NetworkManager and udev. Not `netplan apply`, which also
/// takes down all cards of NetworkManager, among them the one of the agent's session (tried with netplan 1.1.2).
pub fn generate() -> Command {
    Command::change("netplan")
        .arg("generate")
        .timeout(Duration::from_secs(30))
}
