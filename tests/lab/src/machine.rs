//! A virtual Pi, as a command line of qemu.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::accel::Accel;
use crate::firmware::Boot;
use crate::run::program;

/// One node of the fleet; all its values follow from its index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Host name.
    pub name: String,
    /// 0 for the first node.
    pub index: u8,
}

/// Names of the nodes that a lab can have, in order.
pub const NAMES: [&str; 3] = ["k8sctl-pi5l", "k8sctl-pi5r", "k8sctl-pi5x"];

impl Node {
    /// The first `count` nodes.
    pub fn fleet(count: usize) -> Vec<Self> {
        NAMES
            .iter()
            .zip(0..)
            .take(count)
            .map(|(name, index)| Self {
                name: (*name).to_owned(),
                index,
            })
            .collect()
    }

    /// LAN address, which DHCP gives it.
    pub fn address(&self) -> String {
        format!("10.10.80.{}", 50 + self.index)
    }

    /// MAC of the on-board NIC, with a prefix of Raspberry Pi.
    pub fn lan_mac(&self) -> String {
        format!("2c:cf:67:00:00:{:02x}", self.index + 1)
    }

    /// MAC of the USB NIC, with a prefix of Realtek.
    pub fn backplane_mac(&self) -> String {
        format!("00:e0:4c:68:00:{:02x}", self.index + 1)
    }

    /// Serials of the disks in slots A and B.
    pub fn serials(&self) -> [String; 2] {
        [1, 2].map(|slot| format!("S6XNNS0W1000{:02}", 2 * self.index + slot))
    }

    /// Serial of the card that it boots from.
    pub fn card_serial(&self) -> String {
        format!("CARD{:04}", self.index + 1)
    }

    /// Name of the host's tap device for the NIC.
    pub fn tap(&self, network: Network) -> String {
        match network {
            Network::Lan => format!("lan{}", self.index),
            Network::Backplane => format!("bp{}", self.index),
        }
    }
}

/// A network of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The home network with DHCP and the coordinator.
    Lan,
    /// The switch between the nodes, without any service.
    Backplane,
}

/// Memory of a node, in MiB.
const MEMORY_MIB: u32 = 1024;
/// First PCI slot of the NVMe disks.
const FIRST_DISK_SLOT: usize = 0x10;

/// Folder of a node's files, relative to the lab's folder because socket paths must be short.
pub fn folder(name: &str) -> PathBuf {
    Path::new("nodes").join(name)
}

/// Path of the node's card.
pub fn card(name: &str) -> PathBuf {
    folder(name).join("card.img")
}

/// Path of the NVMe disk with that serial.
pub fn disk(serial: &str) -> PathBuf {
    Path::new("disks").join(format!("{serial}.img"))
}

/// The by-id path of the disk on a node.
pub fn by_id(serial: &str) -> String {
    format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}")
}

/// qemu's id for the disk with that serial.
pub fn disk_id(serial: &str) -> String {
    format!("nvme-{serial}")
}

/// qemu's PCI address for a slot; 0 is slot A.
pub fn disk_address(slot: usize) -> String {
    format!("{:#x}", FIRST_DISK_SLOT + slot)
}

/// The `-blockdev` of a disk. Writes go to the host's cache, so they survive a power cut of the guest.
pub fn disk_backend(serial: &str) -> serde_json::Value {
    serde_json::json!({
        "driver": "raw", "node-name": format!("blk-{serial}"), "discard": "unmap",
        "file": {"driver": "file", "filename": disk(serial), "discard": "unmap", "cache": {"direct": false, "no-flush": true}},
    })
}

/// The whole command. `disks` holds the serial in each slot.
pub fn command(node: &Node, accel: Accel, boot: &Boot, disks: &[Option<String>]) -> Command {
    let here = folder(&node.name);
    // The kernel kills qemu when the supervisor ends, however it ends.
    let mut qemu = program("setpriv", ["--pdeathsig", "KILL", "--", "qemu-system-x86_64"]);
    qemu.args([
        "-name",
        &node.name,
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
    ]);
    qemu.args(accel.arguments())
        .args(["-m", &MEMORY_MIB.to_string(), "-rtc", "base=utc"]);
    qemu.args([
        "-smbios",
        &format!(
            "type=1,manufacturer=Heeler,product=Virtual Raspberry Pi 5,serial=1000000{:04}",
            node.index + 1
        ),
    ]);
    qemu.arg("-kernel")
        .arg(&boot.kernel)
        .args(["-append", &format!("{}{}", boot.cmdline, accel.patience())]);
    if let Some(initramfs) = &boot.initramfs {
        qemu.arg("-initrd").arg(initramfs);
    }
    qemu.args([
        "-chardev",
        &format!("file,id=serial,append=on,path={}", here.join("serial.log").display()),
        "-serial",
        "chardev:serial",
    ]);
    qemu.args([
        "-qmp",
        &format!("unix:{},server=on,wait=off", here.join("qmp.sock").display()),
    ]);
    qemu.args(["-device", "virtio-rng-pci"]);
    qemu.args([
        "-drive",
        &format!(
            "file={},format=raw,if=none,id=card,cache=unsafe,discard=unmap",
            card(&node.name).display()
        ),
    ]);
    qemu.arg("-device").arg(format!(
        "virtio-blk-pci,drive=card,addr=0x4,serial={}",
        node.card_serial()
    ));
    for (slot, serial) in disks.iter().enumerate() {
        let Some(serial) = serial else { continue };
        qemu.args(["-blockdev", &disk_backend(serial).to_string()]);
        let (id, address) = (disk_id(serial), disk_address(slot));
        qemu.args([
            "-device",
            &format!("nvme,id={id},drive=blk-{serial},serial={serial},addr={address}"),
        ]);
    }
    for (network, device) in [
        (Network::Lan, "virtio-net-pci,addr=0x5"),
        (Network::Backplane, "usb-net,bus=xhci.0"),
    ] {
        let (tap, mac) = match network {
            Network::Lan => (node.tap(network), node.lan_mac()),
            Network::Backplane => (node.tap(network), node.backplane_mac()),
        };
        if network == Network::Backplane {
            qemu.args(["-device", "qemu-xhci,id=xhci,addr=0x6"]);
        }
        qemu.args(["-netdev", &format!("tap,id={tap},ifname={tap},script=no,downscript=no")]);
        qemu.args(["-device", &format!("{device},netdev={tap},id=nic-{tap},mac={mac}")]);
    }
    qemu
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn lab_nodes_share_no_address_or_serial() {
        let fleet = Node::fleet(3);
        let mut all: Vec<String> = fleet
            .iter()
            .flat_map(|node| {
                [node.address(), node.lan_mac(), node.backplane_mac()]
                    .into_iter()
                    .chain(node.serials())
            })
            .collect();
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!((all.len(), count), (15, 15));
    }

    #[test]
    fn the_third_node_has_the_fifth_and_sixth_disk() {
        assert_eq!(Node::fleet(3)[2].serials(), ["S6XNNS0W100005", "S6XNNS0W100006"]);
    }
}
