//! A node that somebody has set up before is taken in as it is.

use heeler_host::sim::Machine;
use heeler_tests::{Fleet, Laptop, Node, config};

use crate::scene::{DISKS, machine};

const FILE: &str = "/data/pve-files/precious";

/// A node as the Ansible playbook leaves it: its pool on the first two disks, with the properties of ZFS's defaults, and
/// the frozen address in the configuration of Proxmox's ifupdown2.
fn built_by_the_playbook() -> Machine {
    let machine = machine("a", DISKS);
    assert!(machine.by_hand("modprobe", &["zfs"]).ok());
    let create = ["create", "data", "mirror", "/dev/nvme0n1", "/dev/nvme1n1"];
    assert!(machine.by_hand("zpool", &create).ok());
    assert!(machine.by_hand("zfs", &["create", "data/pve-files"]).ok());
    machine.put_file(FILE, b"precious").unwrap();
    machine
        .put_file("/etc/hosts", b"127.0.0.1 localhost\n10.10.80.50 a\n")
        .unwrap();
    machine.install_ifupdown2("3.3.0-1+pmx10");
    machine
}

#[tokio::test]
async fn a_node_that_the_playbook_built_is_taken_in_unchanged() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, built_by_the_playbook(), "a").await;
    let guid = node.machine.pool_guid("data");
    let me = Laptop::beside(&fleet);
    let _path = me.file("heeler.toml", Some(&config(&[("a", DISKS)])));

    me.does(&fleet.clock, "node discover a").await;
    let said = me.does(&fleet.clock, "plan").await;
    assert!(said.contains("take in the mirror \"data\""), "{said}");
    for wrong in ["create mirror", "IRREVERSIBLE", "BLOCKED"] {
        assert!(!said.contains(wrong), "{wrong}: {said}");
    }
    me.does(&fleet.clock, "apply --yes").await;
    assert_eq!(node.machine.pool_guid("data"), guid);
    assert_eq!(node.machine.file(FILE).as_deref(), Some(&b"precious"[..]));
    let said = me.does(&fleet.clock, "plan").await;
    assert!(said.contains("Nothing to change"), "{said}");
    let said = me.does(&fleet.clock, "status").await;
    assert!(said.contains("GREEN"), "{said}");
}
