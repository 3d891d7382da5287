//! Debian packages that the lab needs on its host.

use std::fs::File;

use anyhow::{Result, bail};
use nix::unistd::geteuid;

use crate::run::{must, program};

/// Programs with their packages.
const NEEDED: [(&str, &str); 11] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("mmdebstrap", "mmdebstrap"),
    ("dnsmasq", "dnsmasq-base"),
    ("mcopy", "mtools"),
    ("mkfs.vfat", "dosfstools"),
    ("mke2fs", "e2fsprogs"),
    ("sfdisk", "fdisk"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("setpriv", "util-linux"),
    ("gpg", "gnupg"),
];

/// [`installed`] for the lab itself. Fails also when network cards cannot be made.
pub fn ensure() -> Result<()> {
    if !geteuid().is_root() && File::options().read(true).write(true).open("/dev/net/tun").is_err() {
        bail!(
            "the lab cannot make network cards: /dev/net/tun is closed to you; run it as root, or: sudo chmod 0666 /dev/net/tun"
        );
    }
    installed(&NEEDED)
}

/// Installs the missing packages of these programs as root; otherwise fails and says what to type. Fails when one is
/// missing and this is not root, or apt fails.
pub fn installed(needed: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(name, _)| !on_path(name))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !geteuid().is_root() {
        bail!(
            "programs are missing: sudo apt-get install --no-install-recommends {}",
            missing.join(" ")
        );
    }
    eprintln!("installing {}", missing.join(" "));
    let apt = |args: &[&str]| must(program("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install)?;
    Ok(())
}

fn on_path(name: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|folder| std::path::Path::new(folder).join(name).exists())
}
