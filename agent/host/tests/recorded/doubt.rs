//! What cannot be checked never counts as blank.

use heeler_host::disk::{Disk, DiskState, Found, Use, inventory};
use heeler_host::{Output, blkid, lsblk, wipefs, zdb, zfs};

use crate::machine::{Recorded, SERIAL, number, output};

/// The kernel's name of the disk when the blank state was recorded.
fn device() -> String {
    Recorded::new("blank").device(SERIAL)
}

async fn state(machine: &Recorded) -> DiskState {
    match inventory(machine).await.unwrap().find(SERIAL) {
        Found::One(disk) => disk.state.clone(),
        other => panic!("{other:?}"),
    }
}

fn failing(code: i32, stderr: &str) -> Output {
    Output {
        code,
        stdout: String::new(),
        stderr: stderr.to_owned(),
    }
}

#[tokio::test]
async fn a_failed_probe_affects_only_its_disk() {
    for command in [
        wipefs::command(&device()),
        blkid::command(&device()),
        zdb::labels_command(&device()),
    ] {
        let mut machine = Recorded::new("blank");
        machine.answer(&command, failing(1, "Input/output error"));
        let inventory = inventory(&machine).await.unwrap();
        let words: Vec<Use> = inventory.disks.iter().map(Disk::in_use).collect();
        assert_eq!(words, [Use::Foreign, Use::Blank, Use::System], "{command}");
        let found = inventory.disks[0].state.finding();
        assert!(
            found.starts_with("not proven blank: ") && found.contains("Input/output error"),
            "{found}"
        );
    }
}

#[tokio::test]
async fn without_zdb_no_disk_is_blank() {
    let mut machine = Recorded::new("blank");
    machine.missing.push("zdb");
    let found = state(&machine).await;
    assert_eq!(
        found.finding(),
        "not proven blank: zdb is not installed: apt-get install zfsutils-linux"
    );
    assert!(found.refusal().is_some());
}

#[tokio::test]
async fn without_the_module_labels_still_identify_disks() {
    let silent = failing(
        1,
        "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root.\n",
    );
    let mut machine = Recorded::new("exported");
    machine.answer(&zfs::version_command(), silent.clone());
    assert!(matches!(state(&machine).await, DiskState::PoolMember { .. }));
    let mut machine = Recorded::new("blank");
    machine.answer(&zfs::version_command(), silent);
    assert_eq!(state(&machine).await, DiskState::Blank);
}

#[tokio::test]
async fn signatures_of_several_kinds_are_a_finding() {
    let mut machine = Recorded::new("blank");
    machine.answer(&blkid::command(&device()), failing(8, ""));
    assert_eq!(state(&machine).await.finding(), "signatures of several kinds");
}

#[tokio::test]
async fn a_finding_of_one_program_is_enough() {
    let destroyed = number("zfs-2.3.9/zdb-label-destroyed-part1", "pool_guid:");
    let destroyed = format!("member of destroyed pool data ({destroyed}), last used by k8sctl-pi5l");
    let (lvm, table) = ("LVM physical volume", "remains of a GPT partition table");
    let device = device();
    for (command, name, finding) in [
        (wipefs::command(&device), "util-linux-2.41.5/wipefs-lvm-pv", lvm),
        (wipefs::command(&device), "util-linux-2.41.5/wipefs-gpt-empty", table),
        (
            blkid::command(&device),
            "util-linux-2.41.5/blkid-ext4",
            "ext4 file system",
        ),
        (lsblk::command(), "util-linux-2.41.5/lsblk-swap", "swap space"),
        (
            zdb::labels_command(&device),
            "zfs-2.3.9/zdb-label-destroyed-part1",
            destroyed.as_str(),
        ),
    ] {
        let mut machine = Recorded::new("blank");
        machine.answer(&command, output(name));
        assert_eq!(state(&machine).await.finding(), finding, "{name}");
    }
}

fn lsblk_with(from: &str, to: &str) -> Recorded {
    let mut machine = Recorded::new("blank");
    let blank = output("util-linux-2.41.5/lsblk-blank");
    assert!(blank.stdout.contains(from), "{from}");
    let stdout = blank.stdout.replace(from, to);
    machine.answer(&lsblk::command(), Output { stdout, ..blank });
    machine
}

#[tokio::test]
async fn two_disks_of_one_serial_are_both_refused() {
    let machine = lsblk_with("S6XNNS0W100002", SERIAL);
    let inventory = inventory(&machine).await.unwrap();
    let Found::Several(twins) = inventory.find(SERIAL) else {
        panic!("{:?}", inventory.disks);
    };
    for twin in twins {
        assert_eq!(twin.state.finding(), format!("serial {SERIAL} on 2 disks"));
    }
    assert_eq!(inventory.find("S6XNNS0W100002"), Found::Missing);
}

#[tokio::test]
async fn a_disk_without_serial_or_write_access_is_not_blank() {
    let first = |inventory: &heeler_host::disk::Inventory| inventory.disks[0].state.finding();
    let machine = lsblk_with("\"ro\": false,", "\"ro\": true,");
    assert_eq!(
        first(&inventory(&machine).await.unwrap()),
        "a disk that cannot be written"
    );
    let machine = lsblk_with(&format!("\"serial\": \"{SERIAL}\""), "\"serial\": null");
    assert_eq!(first(&inventory(&machine).await.unwrap()), "no serial number");
}

#[tokio::test]
async fn a_holder_alone_is_a_finding() {
    let mut machine = Recorded::new("blank");
    let name = device().trim_start_matches("/dev/").to_owned();
    machine.link(
        &format!("/sys/class/block/{name}/holders/dm-0"),
        "/sys/devices/virtual/block/dm-0",
    );
    assert_eq!(state(&machine).await.finding(), "held by dm-0");
}

#[tokio::test]
async fn one_byte_at_either_end_is_a_finding() {
    for offset in [0, 511, (4 << 20) - 1, (2 << 30) - (4 << 20), (2 << 30) - 1] {
        let mut machine = Recorded::new("blank");
        machine.bytes.push((device().into(), offset));
        assert_eq!(
            state(&machine).await.finding(),
            format!("unknown data at byte {offset}")
        );
    }
}

#[tokio::test]
async fn the_system_disk_is_always_recognised() {
    let inventory = inventory(&Recorded::new("blank")).await.unwrap();
    let system = inventory
        .disks
        .iter()
        .find(|disk| disk.kernel_path == "/dev/vda")
        .unwrap();
    assert_eq!(system.state.finding(), "in use by the system: /, /boot/firmware");
    assert_eq!((system.in_use(), system.slot), (Use::System, None));
}
