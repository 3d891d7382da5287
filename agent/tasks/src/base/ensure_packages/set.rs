//! Which packages a node needs.

use heeler_host::dpkg::Package;
use heeler_proto::EnsurePackages;

/// Proxmox without its metapackage `proxmox-ve`, which depends on Proxmox's kernel. `qemu-server` brings the firmware of
/// virtual machines.
const PROXMOX: [&str; 9] = [
    "pve-manager",
    "pve-cluster",
    "qemu-server",
    "pve-qemu-kvm",
    "pve-container",
    "pve-firewall",
    "pve-ha-manager",
    "lxc-pve",
    "ifupdown2",
];
const ZFS: [&str; 2] = ["zfsutils-linux", "zfs-zed"];
/// ZFS's module, as sources.
pub(super) const MODULE: &str = "zfs-dkms";

/// The names of the packages, for a node that runs this release of the kernel.
pub(super) fn wanted(task: &EnsurePackages, release: &str) -> Vec<String> {
    let mut all: Vec<String> = PROXMOX.iter().chain(&ZFS).map(|name| (*name).to_owned()).collect();
    // Proxmox's own kernel brings the module.
    if !release.ends_with("-pve") {
        all.push(MODULE.to_owned());
        all.push(headers(release));
    }
    all.extend(task.more.iter().map(|name| name.as_str().to_owned()));
    all.sort();
    all.dedup();
    all
}

/// The headers of exactly this kernel: with those of another one the module is not built for it.
pub(super) fn headers(release: &str) -> String {
    format!("linux-headers-{release}")
}

/// Whether the package is the one of this name, for the node's own architecture.
pub(super) fn is(package: &Package, name: &str) -> bool {
    package.name.split(':').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_with_zfs_needs_no_sources() {
        let task = EnsurePackages::default();
        let other = wanted(&task, "6.12.47+rpt-rpi-v8");
        assert!(other.contains(&"linux-headers-6.12.47+rpt-rpi-v8".to_owned()) && other.contains(&MODULE.to_owned()));
        let own = wanted(&task, "6.17.2-1-pve");
        assert!(
            !own.iter()
                .any(|name| name.starts_with("linux-headers") || name == MODULE)
        );
        assert!(own.iter().chain(&other).all(|name| name != "proxmox-ve"));
    }
}
