use heeler_host::disk::{Disk, Found, MemberState, Use, Verdict, inventory};

use crate::machine::{Recorded, SERIAL};

async fn disk(machine: &Recorded) -> Disk {
    let inventory = inventory(machine).await.unwrap();
    match inventory.find(SERIAL) {
        Found::One(disk) => disk.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_disk_of_zeros_is_blank_and_named_by_model_and_serial() {
    let disk = disk(&Recorded::new("blank")).await;
    assert_eq!(disk.verdict, Verdict::Blank);
    assert_eq!(disk.by_id, format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{SERIAL}"));
    assert_eq!(
        (disk.slot, disk.size_bytes, disk.transport.as_str()),
        (Some('A'), 2 << 30, "nvme")
    );
}

#[tokio::test]
async fn a_disk_that_holds_anything_is_refused_with_what_was_found() {
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
        assert_eq!(disk.verdict.finding(), finding, "{state}");
        assert_eq!(disk.in_a_word(), Use::Foreign, "{state}");
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
        let device = "/dev/nvme0n1";
        // One block of 4 KiB in 2 MiB is looked at on this disk: what is there fills more than that.
        machine.bytes = (0..512).map(|i| (device.into(), offset + i * 4096)).collect();
        let disk = disk(&machine).await;
        assert_eq!(disk.kernel_path, device);
        assert!(
            disk.verdict.finding().starts_with("unknown data at byte "),
            "{state}: {:?}",
            disk.verdict
        );
    }
}

#[tokio::test]
async fn a_leg_of_a_pool_is_known_by_its_label_however_the_pool_was_left() {
    for (state, left, finding) in [
        ("active", MemberState::Active, "member of pool data"),
        (
            "exported",
            MemberState::Exported,
            "member of exported pool data (7447198234645666868), last used by k8sctl-pi5l",
        ),
        (
            "destroyed",
            MemberState::Destroyed,
            "member of destroyed pool data (12899018091186765733), last used by k8sctl-pi5l",
        ),
        (
            "leg-wiped",
            MemberState::Exported,
            "member of exported pool data (7447198234645666868), last used by k8sctl-pi5l",
        ),
        (
            "leg-missing",
            MemberState::Exported,
            "member of exported pool data (7447198234645666868), last used by k8sctl-pi5l",
        ),
    ] {
        let disk = disk(&Recorded::new(state)).await;
        let Verdict::PoolMember {
            state: found,
            hostid,
            txg,
            ..
        } = &disk.verdict
        else {
            panic!("{state}: {:?}", disk.verdict);
        };
        assert_eq!((*found, *hostid), (left, 0x0a0a_5032), "{state}");
        assert!(*txg > 0, "{state}");
        assert_eq!(disk.verdict.finding(), finding, "{state}");
        let word = if left == MemberState::Active {
            Use::Pool
        } else {
            Use::Foreign
        };
        assert_eq!(disk.in_a_word(), word, "{state}");
    }
}

#[tokio::test]
async fn a_destroyed_pool_whose_labels_were_cleared_is_still_not_blank() {
    let disk = disk(&Recorded::new("destroyed-and-cleared")).await;
    assert_eq!(disk.verdict.finding(), "GPT partition table with 2 partitions");
    assert!(disk.only_marks_of_zfs);
}

#[tokio::test]
async fn both_legs_of_a_pool_carry_their_own_label() {
    let machine = Recorded::looking_at("S6XNNS0W100002", "stale-leg");
    let inventory = inventory(&machine).await.unwrap();
    let Found::One(disk) = inventory.find("S6XNNS0W100002") else {
        panic!("{:?}", inventory.disks);
    };
    assert_eq!(
        (disk.labels[0].txg, disk.labels[0].guid, disk.slot),
        (56, 7_371_286_380_792_118_467, Some('B'))
    );
}
