use heeler_host::disk::{Disk, DiskState, Found, MemberState, Use, inventory};

use crate::machine::{Recorded, SERIAL, guid, number};

async fn disk(machine: &Recorded) -> Disk {
    let inventory = inventory(machine).await.unwrap();
    match inventory.find(SERIAL) {
        Found::One(disk) => disk.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_disk_of_zeros_is_blank() {
    let disk = disk(&Recorded::new("blank")).await;
    assert_eq!(disk.state, DiskState::Blank);
    assert_eq!(disk.by_id, format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{SERIAL}"));
    assert_eq!(
        (disk.slot, disk.size_bytes, disk.transport.as_str()),
        (Some('A'), 2 << 30, "nvme")
    );
}

#[tokio::test]
async fn a_disk_with_content_is_refused_with_the_finding() {
    for (state, finding) in [
        ("ext4", "ext4 file system"),
        ("ext4-mounted", "mounted at /mnt"),
        ("swap", "swap space"),
        ("lvm-pv", "LVM physical volume"),
        ("lvm-active", "LVM physical volume"),
        ("gpt-empty", "empty GPT partition table"),
        ("gpt-one-partition", "GPT partition table with 1 partition"),
        ("gpt-ext4", "GPT partition table with 1 partition: ext4 file system"),
        ("mbr-one-partition", "DOS partition table with 1 partition"),
    ] {
        let disk = disk(&Recorded::new(state)).await;
        assert_eq!(disk.state.finding(), finding, "{state}");
        assert_eq!(disk.in_use(), Use::Foreign, "{state}");
        assert!(!disk.only_marks_of_zfs, "{state}");
    }
}

#[tokio::test]
async fn data_that_no_program_knows_is_found_by_its_bytes() {
    for (state, offset) in [
        ("random-front", 7),
        ("headers-wiped", (1 << 30) + 3),
        ("random-middle", 1000 << 20),
    ] {
        let mut machine = Recorded::new(state);
        let device = machine.device(SERIAL);
        // Only one block of 4 KiB in 2 MiB is read on this disk, so the data is larger than that.
        machine.bytes = (0..512).map(|i| (device.clone().into(), offset + i * 4096)).collect();
        let disk = disk(&machine).await;
        assert!(
            disk.state.finding().starts_with("unknown data at byte "),
            "{state}: {:?}",
            disk.state
        );
    }
}

#[tokio::test]
async fn a_leg_is_known_by_its_label() {
    let destroyed = number("zfs-2.3.9/zdb-label-destroyed-part1", "pool_guid:");
    let two = number("zfs-2.3.9/zdb-label-two-of-one-name-part1", "pool_guid:");
    for (state, left, finding) in [
        (
            "exported",
            MemberState::Exported,
            format!("member of exported pool data ({}), last used by k8sctl-pi5l", guid()),
        ),
        (
            "destroyed",
            MemberState::Destroyed,
            format!("member of destroyed pool data ({destroyed}), last used by k8sctl-pi5l"),
        ),
        (
            "leg-wiped",
            MemberState::Exported,
            format!("member of exported pool data ({}), last used by k8sctl-pi5l", guid()),
        ),
        (
            "leg-missing",
            MemberState::Exported,
            format!("member of exported pool data ({}), last used by k8sctl-pi5l", guid()),
        ),
        (
            "two-of-one-name",
            MemberState::Exported,
            format!("member of exported pool data ({two}), last used by k8sctl-pi5l"),
        ),
    ] {
        let disk = disk(&Recorded::new(state)).await;
        let DiskState::PoolMember {
            state: found,
            hostid,
            txg,
            ..
        } = &disk.state
        else {
            panic!("{state}: {:?}", disk.state);
        };
        assert_eq!((*found, *hostid), (left, 0x0a0a_5032), "{state}");
        assert!(*txg > 0, "{state}");
        assert_eq!(disk.state.finding(), finding, "{state}");
        assert_eq!(disk.in_use(), Use::Foreign, "{state}");
    }
}

#[tokio::test]
async fn cleared_labels_do_not_make_a_disk_blank() {
    let disk = disk(&Recorded::new("destroyed-and-cleared")).await;
    assert_eq!(disk.state.finding(), "GPT partition table with 2 partitions");
    assert!(disk.only_marks_of_zfs);
}

#[tokio::test]
async fn labels_stay_with_disks_and_slots_with_the_bus() {
    let inventory = inventory(&Recorded::new("exported")).await.unwrap();
    let recorded = |key| number("zfs-2.3.9/zdb-label-exported-part1", key);
    let [first, second, system] = inventory.disks.as_slice() else {
        panic!("{:?}", inventory.disks);
    };
    assert_eq!(
        (first.labels[0].txg, first.labels[0].guid),
        (recorded("txg:"), recorded("guid:"))
    );
    assert_eq!(first.labels[0].copies, [0, 1, 2, 3]);
    assert_eq!((first.slot, second.slot, system.slot), (Some('A'), Some('B'), None));
}

#[tokio::test]
async fn disks_in_use_are_not_probed() {
    let mut machine = Recorded::new("active");
    for program in ["zdb", "wipefs", "blkid"] {
        machine.answers.retain(|command, _| !command.starts_with(program));
    }
    machine
        .answers
        .remove(&heeler_host::zpool::importable_command().to_string());
    let inventory = inventory(&machine).await.unwrap();
    let words: Vec<Use> = inventory.disks.iter().map(Disk::in_use).collect();
    assert_eq!(words, [Use::Pool, Use::Pool, Use::System]);
    assert_eq!(inventory.disks[0].state.finding(), "member of pool data");
    assert_eq!(inventory.around.importable, Some(Vec::new()));
}

#[tokio::test]
async fn a_pool_in_use_elsewhere_is_named() {
    let disk = disk(&Recorded::new("in-use-elsewhere")).await;
    let guid = number("zfs-2.3.9/zdb-label-in-use-elsewhere-part1", "pool_guid:");
    let finding = format!("member of pool data ({guid}), not exported, last used by k8sctl-elsewhere");
    assert_eq!(disk.state.finding(), finding);
    assert!(matches!(
        disk.state,
        DiskState::PoolMember {
            state: MemberState::PotentiallyActive,
            hostid: 0x0a0a_5099,
            ..
        }
    ));
}

#[tokio::test]
async fn half_a_partition_table_counts_as_made_by_zfs() {
    let disk = disk(&Recorded::new("create-torn")).await;
    assert_eq!(disk.state.finding(), "remains of a GPT partition table");
    assert!(disk.only_marks_of_zfs);
}

#[tokio::test]
async fn a_creation_that_lost_power_left_marks_of_zfs_alone() {
    let inventory = inventory(&Recorded::new("create-interrupted")).await.unwrap();
    let [first, second, _] = inventory.disks.as_slice() else {
        panic!("{:?}", inventory.disks);
    };
    assert_eq!(first.state.finding(), "GPT partition table with 2 partitions");
    assert!(first.only_marks_of_zfs);
    assert_eq!(second.state, DiskState::Blank);
}
