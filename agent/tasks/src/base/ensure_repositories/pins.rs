//! What apt may take from the repository (apt_preferences(5)). Of several paragraphs that fit a package, the first counts.

use heeler_host::File;

/// All of ZFS. A version of Proxmox is higher than any of Debian's and of the Raspberry Pi archive, and comes without
/// the module's sources: apt would change the programs and leave the module behind.
const ZFS: &str = "src:zfs-linux libzfs*linux libzpool*linux libnvpair*linux libuutil*linux zfs-zed zfsutils-linux";

/// Proxmox's kernel is built for UEFI, which a Raspberry Pi does not have; `proxmox-ve` depends on it.
const KERNEL: &str = "proxmox-ve proxmox-default-kernel proxmox-default-headers proxmox-kernel-* proxmox-headers-* \
                      pve-kernel-* pve-headers* pve-firmware";

/// Packages that no node can lose, even if Debian's lists lack the installed version.
const BASE: &str =
    "src:apt src:dpkg src:glibc src:linux* src:openssh src:openssl src:sudo src:systemd raspi-firmware heeler-agent";

/// What Debian has too, and Proxmox builds for itself. All else that only Proxmox has needs no line.
const PROXMOX: &str = "src:corosync* src:kronosnet src:libqb src:ceph src:criu src:frr src:ifupdown2 src:lvm2 src:lxc* \
                       src:libcrypt-openssl-rsa-perl src:libiscsi src:libtpms src:openvswitch src:rrdtool \
                       src:smartmontools src:spice* src:swtpm src:vncterm libjs-*";

/// The file with the pins for the repository on `host`; `pi`: on a Raspberry Pi.
pub(super) fn file(host: &str, pi: bool) -> File {
    let from = format!("origin \"{host}\"");
    let paragraph = |why: &str, packages: &str, pin: &str, priority: i32| {
        format!("\nExplanation: {why}\nPackage: {packages}\nPin: {pin}\nPin-Priority: {priority}\n")
    };
    let mut text = "# Written by Heeler. Changes are overwritten.\n".to_owned();
    text += &paragraph("All of ZFS comes from one source, never this one.", ZFS, &from, -1);
    if pi {
        text += &paragraph("A Raspberry Pi cannot start this kernel.", KERNEL, "release *", -1);
    }
    text += &paragraph("The base of the system stays Debian's.", BASE, &from, -1);
    text += &paragraph("Proxmox needs its own build of these.", PROXMOX, &from, 990);
    text += &paragraph("Anything else only where nobody else has it.", "*", &from, 100);
    File::text("/etc/apt/preferences.d/heeler-proxmox", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_pins_are_the_ones_that_apt_was_tried_with() {
        let recorded = include_str!("../../../../host/fixtures/apt/heeler-proxmox");
        let file = file("download.proxmox.com", true);
        assert_eq!(String::from_utf8_lossy(file.content.bytes()), recorded);
    }

    #[test]
    fn other_machines_may_have_the_kernel() {
        let file = file("mirror", false);
        let text = String::from_utf8_lossy(file.content.bytes());
        assert!(!text.contains("proxmox-ve") && text.contains("src:zfs-linux"), "{text}");
    }
}
