//! Checks that a node resembles Raspberry Pi OS Lite (trixie) where an agent would notice. Known differences: kernel
//! and headers are Debian's; there is no EEPROM, no rpi-swap, no Wi-Fi; the card is a virtio disk.

use anyhow::{Result, bail};

use super::{Case, Cost, L, R, Run, X};
use crate::machine::by_id;
use crate::node::NodeHandle;
use crate::seed::{PASSWORD, USER};

pub(super) const CASES: &[Case] = &[
    Case {
        on: L,
        name: "the first node resembles Raspberry Pi OS",
        cost: Cost::Seconds(30),
        run: Run::Machines(|lab| check(lab.node(L)?)),
    },
    Case {
        on: R,
        name: "the second node resembles Raspberry Pi OS",
        cost: Cost::Seconds(20),
        run: Run::Machines(|lab| check(lab.node(R)?)),
    },
    Case {
        on: X,
        name: "the third node resembles Raspberry Pi OS",
        cost: Cost::Seconds(30),
        run: Run::Machines(|lab| check(lab.node(X)?)),
    },
];

/// What must be true, and the shell condition that checks it.
const HOLDS: &[(&str, &str)] = &[
    (
        "Debian 13, 64-bit",
        ". /etc/os-release && [ $ID$VERSION_ID = debian13 ] && [ $(getconf LONG_BIT) = 64 ]",
    ),
    (
        "sudo asks the first user for a password",
        "! runuser -u $USER -- sudo -k -n true",
    ),
    (
        "sudo takes the first user's password",
        "echo \"$PASSWORD\" | runuser -u $USER -- sudo -k -S true",
    ),
    ("the first user has a key", "[ -s /home/$USER/.ssh/authorized_keys ]"),
    ("root has no password", "passwd -S root | grep -q ' L '"),
    (
        "the firmware partition is FAT",
        "[ $(findmnt -no FSTYPE /boot/firmware) = vfat ]",
    ),
    (
        "cmdline.txt is one line",
        "[ $(wc -l < /boot/firmware/cmdline.txt) = 1 ]",
    ),
    (
        "config.txt names a kernel that is there",
        "[ -s /boot/firmware/$(sed -n 's/^kernel=//p' /boot/firmware/config.txt) ]",
    ),
    (
        "the imager's files are on the firmware partition",
        "cd /boot/firmware && [ -s user-data -a -s meta-data -a -s network-config ]",
    ),
    (
        "cloud-init took them",
        "[ $(cloud-id) = nocloud ] && cloud-init status | grep -q done",
    ),
    (
        "the instance is the image's",
        "[ $(cloud-init query instance_id) = rpios-image ]",
    ),
    (
        "first boot has finished",
        "[ $(systemctl is-system-running) = running ]",
    ),
    (
        "the root file system fills its partition",
        "[ $(df -B1 --output=size / | tail -1) -gt $(($(blockdev --getsize64 $(findmnt -no SOURCE /)) * 9 / 10)) ]",
    ),
    (
        "NetworkManager has the LAN",
        "nmcli -g GENERAL.STATE device show eth0 | grep -q connected",
    ),
    (
        "netplan carries cloud-init's network",
        "[ -s /etc/netplan/50-cloud-init.yaml ]",
    ),
    (
        "ifupdown is not there",
        "! command -v ifup && [ ! -e /etc/network/interfaces ]",
    ),
    (
        "predictable interface names are off",
        "cd /etc/systemd/network && [ $(readlink 99-default.link) = /dev/null -a $(readlink 73-usb-net-by-mac.link) = /dev/null ]",
    ),
    (
        "the USB NIC has a permanent address",
        "cd /sys/class/net/eth1 && [ $(cat addr_assign_type) = 0 ] && readlink -f device | grep -q usb",
    ),
    (
        "Debian's and Raspberry Pi's sources are deb822",
        "cd /etc/apt && [ -s sources.list.d/debian.sources -a -s sources.list.d/raspi.sources -a ! -s sources.list ]",
    ),
    (
        "armhf is a foreign architecture",
        "dpkg --print-foreign-architectures | grep -qx armhf",
    ),
    (
        "avahi and udisks2 run",
        "systemctl -q is-active avahi-daemon && systemctl cat udisks2 >/dev/null",
    ),
    (
        "update-initramfs.conf is text",
        "grep -qx update_initramfs=yes /etc/initramfs-tools/update-initramfs.conf",
    ),
    ("no package is half-installed", "[ -z \"$(dpkg --audit)\" ]"),
    (
        "kernel headers are there",
        "[ -d /lib/modules/$(uname -r)/build/include ]",
    ),
    (
        "the ZFS module is built for this kernel",
        "modinfo -F version zfs | grep -q ^2.3",
    ),
    ("the host id is the node's own", "[ $(stat -c %s /etc/hostid) = 4 ]"),
    (
        "hosts has Debian's loopback line",
        "grep -q ^127.0.1.1.*$(hostname) /etc/hosts",
    ),
    (
        "two NVMe disks of 2 GiB",
        "[ $(lsblk -dbno SIZE,TRAN | grep -c '^2147483648 nvme') = 2 ]",
    ),
];

fn check(node: NodeHandle<'_>) -> Result<()> {
    let mut script = format!("USER={USER} PASSWORD='{PASSWORD}'\nexec 2>/dev/null\n");
    for (what, condition) in HOLDS {
        script.push_str(&format!("( {condition} ) >/dev/null || echo '{what}'\n"));
    }
    script.push_str(&format!(
        "[ $(hostname) = {} ] || echo 'the host name is the imager'\\''s'\n",
        node.name()
    ));
    for serial in node.serials()? {
        script.push_str(&format!("[ -b {} ] || echo 'disk {serial} by id'\n", by_id(&serial)));
    }
    script.push_str("echo asked\n");
    let said = node.must(&script)?;
    match said.trim_end().strip_suffix("asked") {
        Some("") => Ok(()),
        Some(missing) => bail!(
            "{} is unlike Raspberry Pi OS; what does not hold:\n{}",
            node.name(),
            missing.trim_end()
        ),
        None => bail!("{}: the checklist stopped early: {said}", node.name()),
    }
}
