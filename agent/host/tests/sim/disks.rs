use heeler_host::System as _;
use heeler_host::disk::{self, DiskState, MemberState};
use heeler_host::sim::{Content, DiskSpec, Fault, Left, Machine};

use crate::{A, B, args, create, node, now};

fn state(machine: &Machine, serial: &str) -> DiskState {
    let inventory = now(disk::inventory(machine))
        .expect("the power is on")
        .expect("the programs answer");
    match inventory.find(serial) {
        disk::Found::One(disk) => disk.state.clone(),
        other => panic!("{serial}: {other:?}"),
    }
}

fn holding(content: Content) -> Machine {
    node().disk(DiskSpec::holding(A, content)).blank(B).build()
}

#[test]
fn a_new_disk_is_proven_blank() {
    let machine = holding(Content::Blank);
    assert_eq!(state(&machine, A), DiskState::Blank);
    assert!(machine.is_blank(A));
}

#[test]
fn looking_at_a_disk_changes_no_byte() {
    let states = [
        (Content::Ext4("backup"), "ext4"),
        (Content::EmptyGpt, "partition table"),
        (Content::BarePartition, "partition"),
        (Content::PartitionWithExt4("photos"), "ext4"),
        (Content::Lvm, "LVM"),
        (Content::RandomFront, "data"),
        (Content::DataInTheMiddle, "data"),
        (Content::MountedExt4("backup", "/mnt/backup"), "/mnt/backup"),
    ];
    for (content, word) in states {
        let machine = holding(content.clone());
        let before = machine.hash_disk(A);
        let found = state(&machine, A);
        let DiskState::Foreign { finding } = &found else {
            panic!("{content:?}: {found:?}")
        };
        assert!(finding.contains(word), "{content:?}: {finding}");
        assert_eq!(machine.hash_disk(A), before, "{content:?}");
        assert_eq!(state(&machine, B), DiskState::Blank);
    }
}

#[test]
fn system_disk_and_swap_belong_to_the_system() {
    let machine = node()
        .disk(DiskSpec::holding(A, Content::Root))
        .disk(DiskSpec::holding(B, Content::SwapInUse))
        .build();
    assert!(matches!(state(&machine, A), DiskState::System { .. }));
    assert!(matches!(state(&machine, B), DiskState::System { .. }));
}

#[test]
fn pool_labels_are_seen_without_the_module_too() {
    let left = [
        (Left::Exported, MemberState::Exported),
        (Left::Destroyed, MemberState::Destroyed),
        (Left::ByAnotherHost, MemberState::PotentiallyActive),
    ];
    for (left, expected) in left {
        let machine = node().blank(A).blank(B).module_not_loaded().build();
        machine.leave_pool("old", &[A, B], left);
        for load in [false, true] {
            if load {
                machine.by_hand("modprobe", &["zfs"]);
            }
            let found = state(&machine, A);
            let DiskState::PoolMember { name, state, .. } = &found else {
                panic!("{left:?}: {found:?}")
            };
            assert_eq!((name.as_str(), *state), ("old", expected));
        }
    }
}

#[test]
fn a_leg_of_an_imported_pool_is_active() {
    let machine = holding(Content::Blank);
    machine.by_hand("modprobe", &["zfs"]);
    machine.by_hand("zpool", &args(&create()));
    let found = state(&machine, B);
    assert!(
        matches!(
            &found,
            DiskState::PoolMember {
                state: MemberState::Active,
                ..
            }
        ),
        "{found:?}"
    );
}

#[test]
fn an_interrupted_create_never_leaves_a_blank_disk() {
    let mut states = Vec::new();
    for point in 0.. {
        let machine = holding(Content::Blank);
        machine.by_hand("modprobe", &["zfs"]);
        if !machine.interrupted(point, "zpool", &args(&create())) {
            break;
        }
        assert_ne!(state(&machine, A), DiskState::Blank, "point {point}");
        let importable = machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id"]).stdout;
        states.push((
            state(&machine, B) == DiskState::Blank,
            importable.contains("pool: data"),
        ));
    }
    // A disk with a partition table and a blank one; then nothing importable; importable; imported at boot.
    assert_eq!(states.first(), Some(&(true, false)));
    assert!(states.contains(&(false, false)) && states.contains(&(false, true)));
}

#[test]
fn slots_stay_although_kernel_names_change() {
    let machine = holding(Content::Blank);
    let look = || {
        let inventory = now(disk::inventory(&machine)).expect("power").expect("answers");
        let disk::Found::One(disk) = inventory.find(A) else {
            panic!("{A} is gone")
        };
        (disk.kernel_path.clone(), disk.slot)
    };
    let (name, slot) = look();
    machine.boot();
    let (later, slot_later) = look();
    assert_ne!(name, later);
    assert_eq!((slot, slot_later), (Some('A'), Some('A')));
}

#[test]
fn a_disk_keeps_its_slot_when_another_is_pulled() {
    let machine = node().blank(A).blank(B).build();
    let look = || now(disk::inventory(&machine)).expect("power").expect("answers");
    let letter = |serial: &str| match look().find(serial) {
        disk::Found::One(disk) => disk.slot,
        _ => None,
    };
    now(disk::remember_slots(&machine, &look().slots))
        .expect("power")
        .expect("written");
    machine.pull_disk(A);
    now(disk::remember_slots(&machine, &look().slots))
        .expect("power")
        .expect("written");
    machine.boot();
    assert_eq!((letter(A), letter(B)), (None, Some('B')));

    let strange = "/var/lib/heeler-agent/slots";
    machine.put_file(strange, b"0001:99:00.0\n").expect("written");
    assert_eq!(letter(B), Some('A'), "a disk in a place that is not known");
    machine.put_file(strange, b"\xff torn").expect("written");
    assert_eq!(letter(B), Some('A'));
}

#[test]
fn one_serial_on_two_disks_is_found_twice() {
    let machine = node().blank(A).blank(A).build();
    let inventory = now(disk::inventory(&machine)).expect("power").expect("answers");
    assert!(matches!(inventory.find(A), disk::Found::Several(_)));
}

#[test]
fn a_hanging_disk_is_unreadable_and_delays_nothing() {
    let machine = node().blank(A).blank(B).build();
    machine.by_hand("modprobe", &["zfs"]);
    let looked = now(disk::inventory(&machine)).expect("power").expect("answers");
    let disk::Found::One(hung) = looked.find(A) else {
        panic!("A is there")
    };
    let path = hung.kernel_path.clone();
    for program in ["wipefs --no-act --json", "blkid -p -o export", "zdb -l"] {
        machine.fail_next(&format!("{program} {path}"), Fault::TimesOut);
    }
    machine.fail_next("zpool import", Fault::TimesOut);
    let before = machine.now_ms();
    let looked = now(disk::inventory(&machine)).expect("power").expect("answers");
    assert!(machine.now_ms() - before < 45_000, "{} ms", machine.now_ms() - before);
    let state = |serial: &str| match looked.find(serial) {
        disk::Found::One(disk) => disk.state.clone(),
        other => panic!("{serial}: {other:?}"),
    };
    let found = state(A).finding();
    assert!(found.contains(&format!("{path} cannot be read: wipefs")), "{found}");
    assert_eq!(state(B), DiskState::Blank);
    assert!(looked.around.unlisted && looked.around.importable.is_none());
}
