use heeler_host::disk::{DiskState, MemberState};
use heeler_proto::{CreatePool, Irreversible};

use super::bench::{act, blank, blocked, commands, disk, disks, live, member, on_record, plan, plan_after, task};
use crate::engine::Plan;

fn foreign(serial: &str, finding: &str) -> heeler_host::disk::Disk {
    let finding = finding.to_owned();
    disk(serial, DiskState::Foreign { finding })
}

fn begun() -> CreatePool {
    match act(&plan(&task(), &disks(vec![blank("A1"), blank("B1")]))) {
        Irreversible::CreatePool(create) => create,
        other => panic!("{other:?}"),
    }
}

#[test]
fn zpool_objections_come_before_the_consent() {
    let mut seen = disks(vec![blank("A1"), blank("B1")]);
    seen.objection = Some("cannot create 'data': no such thing".to_owned());
    let Plan::Blocked(stopped) = plan(&task(), &seen) else {
        panic!("it goes on")
    };
    assert!(stopped.found.contains("no such thing"), "{stopped:?}");
}

#[test]
fn a_mirror_is_created_by_id_without_force() {
    let plan = plan(&task(), &disks(vec![blank("C1"), blank("B1"), blank("A1")]));
    let typed = commands(&plan);
    assert_eq!(typed.len(), 1, "{typed:?}");
    assert!(
        typed[0].ends_with(" data mirror /dev/disk/by-id/nvme-M_A1 /dev/disk/by-id/nvme-M_B1"),
        "{typed:?}"
    );
    assert!(typed[0].contains("-o comment=heeler:k8sctl/pi5l ") && typed[0].contains("-o ashift=12 "));
    assert!(
        typed
            .iter()
            .all(|command| !command.contains(" -f") && !command.contains(" -F")),
        "{typed:?}"
    );
    let Irreversible::CreatePool(create) = act(&plan) else {
        panic!("a creation")
    };
    let named: Vec<(&str, u64)> = create
        .disks
        .iter()
        .map(|disk| (disk.serial.as_str(), disk.size_bytes))
        .collect();
    assert_eq!(named, [("A1", 128_000_000_000), ("B1", 128_000_000_000)]);
}

#[test]
fn create_never_gets_an_unproven_disk() {
    let mut marked = foreign("B1", "GPT partition table with 2 partitions");
    marked.only_marks_of_zfs = true;
    let states = [
        foreign("B1", "ext4 file system \"backup\""),
        foreign("B1", "unknown data at byte 524288"),
        foreign("B1", "mounted at /mnt"),
        marked,
        member("B1", 3, 4),
        disk("B1", DiskState::System { what: "/".into() }),
        disk("B1", DiskState::Unproven { missing: "zdb".into() }),
        disk(
            "B1",
            DiskState::PoolMember {
                name: "old".into(),
                guid: 3,
                state: MemberState::Destroyed,
                txg: 1,
                hostname: String::new(),
                hostid: 0,
            },
        ),
    ];
    for odd in states {
        let finding = odd.state.finding();
        let stopped = blocked(plan(&task(), &disks(vec![blank("A1"), odd.clone()])));
        assert!(
            stopped.found.contains("B1") && stopped.found.contains(&finding),
            "{stopped:?}"
        );
        assert!(
            !stopped.found.contains("A1"),
            "a blank disk is not to blame: {stopped:?}"
        );
        let erasable = !matches!(odd.state, DiskState::System { .. } | DiskState::Unproven { .. });
        assert_eq!(stopped.next.contains("heeler disk erase B1"), erasable, "{stopped:?}");
    }
}

#[test]
fn a_failed_check_is_no_reason_to_erase_a_disk() {
    let slow = disk(
        "B1",
        DiskState::Unproven {
            missing: "/dev/nvme0n1: timed out".into(),
        },
    );
    for other in [blank("A1"), foreign("A1", "ext4 file system \"backup\"")] {
        let stopped = blocked(plan(&task(), &disks(vec![other, slow.clone()])));
        assert!(
            !stopped.next.contains("erase") && stopped.next.contains("heeler plan"),
            "{stopped:?}"
        );
    }
}

#[test]
fn a_guid_on_record_blocks_create_even_on_blank_disks() {
    let stopped = blocked(plan(&on_record(), &disks(vec![blank("A1"), blank("B1")])));
    assert!(
        stopped.why.contains("on record") && stopped.next.contains("A1, B1"),
        "{stopped:?}"
    );
}

#[test]
fn a_live_serial_blocks_create_even_when_blank() {
    let mut task = task();
    task.live = vec![live("B1")];
    let stopped = blocked(plan(&task, &disks(vec![blank("A1"), blank("B1")])));
    assert!(
        stopped.found.contains("B1") && stopped.found.contains("pi5r"),
        "{stopped:?}"
    );
}

#[test]
fn an_unloaded_module_never_means_no_pool() {
    let mut unknown = disks(vec![blank("A1"), blank("B1")]);
    unknown.loaded = false;
    for task in [task(), on_record()] {
        assert_eq!(plan(&task, &unknown), Plan::After("ZfsLoaded"));
    }
}

#[test]
fn an_unknown_serial_gets_a_suggestion() {
    let mut task = task();
    task.pool.serials[1] = super::bench::serial("S6XNNS0W1OOOO3");
    let stopped = blocked(plan(&task, &disks(vec![blank("A1"), blank("S6XNNS0W100003")])));
    assert_eq!(
        stopped.found,
        "S6XNNS0W1OOOO3 is not in this node (letter O for zero?). Free: S6XNNS0W100003 (slot S, 128 GB): looks blank (sampled)"
    );
    assert_eq!(
        stopped.advice(),
        "in heeler.toml: S6XNNS0W100003 instead of S6XNNS0W1OOOO3"
    );

    let stopped = blocked(plan(
        &super::bench::task(),
        &disks(vec![blank("A1"), foreign("Z9", "LVM physical volume")]),
    ));
    assert!(
        stopped.found.contains("Not in heeler.toml: Z9 (slot Z, 128 GB): LVM"),
        "{stopped:?}"
    );
}

#[test]
fn a_serial_on_two_disks_names_none() {
    let mut twin = blank("A1");
    twin.kernel_path = "/dev/sdb".to_owned();
    let stopped = blocked(plan(&task(), &disks(vec![blank("A1"), blank("B1"), twin])));
    assert!(
        stopped.found.contains("/dev/nvmeA1") && stopped.found.contains("/dev/sdb"),
        "{stopped:?}"
    );
}

#[test]
fn a_disk_smaller_than_its_mirror_is_refused_and_named() {
    let mut small = blank("B1");
    small.size_bytes -= (16 << 20) + 1;
    let stopped = blocked(plan(&task(), &disks(vec![blank("A1"), small.clone()])));
    assert!(
        stopped.found.starts_with("B1 ") && stopped.found.contains("smaller than its mirror, A1"),
        "{stopped:?}"
    );
    small.size_bytes += 1;
    commands(&plan(&task(), &disks(vec![blank("A1"), small])));
}

#[test]
fn an_interrupted_creation_is_never_repeated() {
    let mut half = foreign("A1", "GPT partition table with 2 partitions");
    half.only_marks_of_zfs = true;
    let seen = disks(vec![half.clone(), blank("B1")]);
    let stopped = blocked(plan_after(&task(), &begun(), &seen));
    assert!(stopped.why.contains("half-made by Heeler"), "{stopped:?}");
    assert_eq!(stopped.next, "heeler disk erase A1; then: heeler apply");

    let unasked = blocked(plan(&task(), &seen));
    assert!(
        !unasked.why.contains("half-made"),
        "without a begin on record: {unasked:?}"
    );
    let other = disks(vec![half, foreign("B1", "ext4 file system")]);
    let mixed = blocked(plan_after(&task(), &begun(), &other));
    assert!(
        !mixed.why.contains("half-made"),
        "somebody else's data as well: {mixed:?}"
    );
}

#[test]
fn a_creation_without_traces_starts_again() {
    let again = plan_after(&task(), &begun(), &disks(vec![blank("A1"), blank("B1")]));
    assert_eq!(act(&again).digest(), Irreversible::CreatePool(begun()).digest());
}
