//! Pools with unusual layouts, and pools that were changed by hand.

use heeler_host::disk::{Use, inventory};
use heeler_host::facts::{PoolFact, PoolFacts, pools};
use heeler_host::zpool::{Class, Unreadable, importable, importable_command, look, status_command};
use heeler_host::{Command, zdb};

use crate::machine::{Recorded, SERIAL, output};

const OTHER: &str = "S6XNNS0W100002";

/// The machine with its pool imported and this output of `zpool status`.
fn machine(status: &str) -> Recorded {
    let mut machine = Recorded::new("active");
    machine.answer(&status_command(), output(status));
    let get = Command::look("zpool").args(["get", "-j", "--json-int", "-p", "all", "data"]);
    machine.answer(&get, output("zfs-2.3.9/zpool-get-all-mirror"));
    machine
}

async fn facts(machine: &Recorded) -> PoolFacts {
    pools(machine, &inventory(machine).await.unwrap().around).await
}

fn serials(pool: &PoolFact) -> Vec<&str> {
    pool.legs.iter().map(|leg| leg.serial.as_str()).collect()
}

#[tokio::test]
async fn an_odd_pool_hides_no_other_and_is_reported() {
    let machine = machine("odd/zpool-status-draid-beside-data");
    let found = look(&machine).await.unwrap();
    assert_eq!(
        found.read.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>(),
        ["data"]
    );
    let bulk = Unreadable {
        name: "bulk".to_owned(),
        guid: 4242,
        reason: "zpool status says no type of a vdev".to_owned(),
    };
    assert_eq!(found.unreadable, std::slice::from_ref(&bulk));
    let facts = facts(&machine).await;
    assert_eq!(
        (serials(&facts.read[0]), facts.unreadable),
        (vec![SERIAL, OTHER], vec![bulk])
    );
}

#[tokio::test]
async fn our_partly_read_pool_counts_as_unreadable() {
    let mut answer = output("zfs-2.3.9/zpool-status-mirror");
    let second = answer.stdout.rfind("\"guid\"").unwrap();
    answer.stdout.replace_range(second..second + 6, "\"gone\"");
    let mut machine = Recorded::new("blank");
    machine.answer(&status_command(), answer);
    let found = look(&machine).await.unwrap();
    assert!(found.read.is_empty());
    assert_eq!(found.unreadable[0].name, "data");
}

#[tokio::test]
async fn each_leaf_has_its_class_and_place() {
    let pool = look(&machine("odd/zpool-status-spare-log-cache-special"))
        .await
        .unwrap()
        .read
        .remove(0);
    let mut leaves: Vec<_> = pool
        .legs
        .iter()
        .map(|leg| (leg.guid, leg.class, leg.top.as_str(), leg.place.as_str()))
        .collect();
    leaves.sort_by_key(|leaf| (leaf.0, leaf.3));
    assert_eq!(
        leaves,
        [
            (77, Class::Spare, "", ""),
            (77, Class::Data, "mirror-0", "spare-1"),
            (78, Class::Cache, "", ""),
            (79, Class::Log, "", ""),
            (81, Class::Special, "mirror-1", ""),
            (737_726_715_864_453_723, Class::Data, "mirror-0", ""),
            (16_108_102_629_353_915_315, Class::Data, "mirror-0", "spare-1"),
        ]
    );
}

#[tokio::test]
async fn legs_named_by_partition_uuid_are_on_their_disks() {
    let mut machine = machine("odd/zpool-status-partuuid");
    for (number, serial) in [(1, SERIAL), (2, OTHER)] {
        let link = format!("/dev/disk/by-partuuid/0f0f0f0f-0000-4000-8000-00000000000{number}");
        let device = format!("{}p1", machine.device(serial));
        machine.link(&link, &device);
    }
    assert_eq!(serials(&facts(&machine).await.read[0]), [SERIAL, OTHER]);
    let disks = inventory(&machine).await.unwrap().disks;
    let mut named = disks.iter().filter(|disk| !disk.serial.is_empty());
    assert!(named.all(|disk| disk.in_use() == Use::Pool), "{disks:?}");
}

#[tokio::test]
async fn an_offline_legs_old_path_names_no_disk() {
    let mut answer = output("zfs-2.3.9/zpool-status-leg-offline");
    let path = format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{OTHER}-part1");
    assert!(answer.stdout.contains(&path));
    let mut machine = machine("zfs-2.3.9/zpool-status-leg-offline");
    let healthy = format!("{}p1", machine.device(SERIAL));
    answer.stdout = answer.stdout.replace(&path, &healthy);
    machine.answer(&status_command(), answer);
    let facts = facts(&machine).await;
    let offline = facts.read[0].legs.iter().find(|leg| leg.state == "OFFLINE").unwrap();
    assert_ne!(offline.serial, SERIAL);
}

#[tokio::test]
async fn an_offline_leg_is_found_by_its_label() {
    let mut machine = machine("zfs-2.3.9/zpool-status-leg-offline");
    let labels = zdb::labels_command(&format!("{}p1", machine.device(OTHER)));
    machine.answer(&labels, output("zfs-2.3.9/zdb-label-stale-leg-part1"));
    assert_eq!(serials(&facts(&machine).await.read[0]), [SERIAL, OTHER]);
    machine.answer(&labels, output("zfs-2.3.9/zdb-label-blank"));
    assert_eq!(serials(&facts(&machine).await.read[0]), [SERIAL, ""]);
}

#[tokio::test]
async fn a_lost_leg_under_another_alias_is_on_no_disk() {
    for alias in ["eui", "suffix"] {
        let machine = machine(&format!("odd/zpool-status-lost-leg-{alias}"));
        let facts = facts(&machine).await;
        let lost = facts.read[0].legs.iter().find(|leg| leg.state == "CANT_OPEN").unwrap();
        assert_eq!(lost.serial, "", "{alias}");
    }
}

#[tokio::test]
async fn classes_are_read_from_zpool_import() {
    let mut machine = Recorded::new("blank");
    machine.answer(&importable_command(), output("odd/zpool-import-cache-spare"));
    let pool = importable(&machine).await.unwrap().remove(0);
    let legs: Vec<_> = pool.legs.iter().map(|leg| (leg.name.as_str(), leg.class)).collect();
    assert_eq!(
        legs,
        [
            ("nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001", Class::Data),
            ("nvme-QEMU_NVMe_Ctrl_S6XNNS0W100002", Class::Data),
            ("usb-Cache_S8-0:0", Class::Cache),
            ("usb-Spare_S9-0:0", Class::Spare),
            ("usb-Log_S7-0:0", Class::Log),
        ]
    );
}

#[tokio::test]
async fn a_spares_label_is_read_without_pool_name() {
    let mut machine = Recorded::new("blank");
    machine.answer(&zdb::labels_command("/dev/sdx1"), output("odd/zdb-spare"));
    let labels = zdb::labels(&machine, "/dev/sdx1").await.unwrap().labels;
    assert_eq!((labels[0].guid, labels[0].state), (77, zdb::LabelState::Spare));
}
