use heeler_host::lsblk;
use heeler_host::sim::{Content, DiskSpec, Left};

use super::{UTIL, ZFS, lab, path, recorded, same_keys, same_signatures, same_text, tags};
use crate::{A, B, node};

#[test]
fn simulated_disks_look_like_recorded_ones() {
    let states = [
        ("blank", Content::Blank),
        ("ext4", Content::Ext4("")),
        ("ext4-mounted", Content::MountedExt4("", "/mnt")),
        ("gpt-empty", Content::EmptyGpt),
        ("gpt-one-partition", Content::BarePartition),
        ("gpt-ext4", Content::PartitionWithExt4("")),
        ("lvm-pv", Content::Lvm),
        ("lvm-active", Content::LvmInUse),
        ("swap", Content::Swap),
        ("random-front", Content::RandomFront),
        ("headers-wiped", Content::DataInTheMiddle),
    ];
    for (state, content) in states {
        let machine = lab(content);
        let (a, b) = (path(A), path(B));
        let name = |program: &str| format!("{program}-{state}");
        let lsblk = lsblk::command();
        let args: Vec<&str> = lsblk.args.iter().map(String::as_str).collect();
        same_keys(&machine.by_hand("lsblk", &args), UTIL, &name("lsblk"));
        same_signatures(&machine.by_hand("wipefs", &["--no-act", "--json", &a]), &name("wipefs"));
        let probe = machine.by_hand("blkid", &["-p", "-o", "export", &a]);
        let real = recorded(UTIL, &name("blkid"));
        assert_eq!((tags(&probe), probe.code), (tags(&real), real.code), "{state}");
        same_text(&machine.by_hand("sfdisk", &["--dump", &a]), UTIL, &name("sfdisk-dump"));
        same_text(&machine.by_hand("zdb", &["-l", &a]), ZFS, &name("zdb-label"));
        let listed = machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id"]);
        same_text(&listed, ZFS, &name("zpool-import-list"));
        let dry = machine.by_hand("zpool", &["create", "-n", "data", "mirror", &a, &b]);
        same_text(&dry, ZFS, &name("zpool-create-n"));
    }
}

#[test]
fn disks_of_different_sizes_or_none_make_no_mirror() {
    let machine = lab(Content::Blank);
    let missing = machine.by_hand(
        "zpool",
        &["create", "-n", "data", "mirror", &path(A), &path("NOTTHERE")],
    );
    same_text(&missing, ZFS, "zpool-create-missing-disk");
    machine.leave_pool("old", &[A, B], Left::Destroyed);
    let over = machine.by_hand("zpool", &["create", "-n", "data", "mirror", &path(A), &path(B)]);
    same_text(&over, ZFS, "zpool-create-n-destroyed");
}

#[test]
fn an_interrupted_create_is_described_as_by_the_real_programs() {
    let machine = lab(Content::Blank);
    let (a, b) = (path(A), path(B));
    assert!(machine.interrupted(0, "zpool", &["create", "data", "mirror", &a, &b]));
    let listed = machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id"]);
    same_text(&listed, ZFS, "zpool-import-list-create-interrupted");
    let again = ["create", "-n", "data", "mirror", &a, &b];
    same_text(
        &machine.by_hand("zpool", &again),
        ZFS,
        "zpool-create-n-create-interrupted",
    );
    for (name, device) in [("", a.clone()), ("-part1", format!("{a}-part1")), ("-other", b.clone())] {
        let labels = machine.by_hand("zdb", &["-l", &device]);
        same_text(&labels, ZFS, &format!("zdb-label-create-interrupted{name}"));
    }
    same_signatures(
        &machine.by_hand("wipefs", &["--no-act", "--json", &a]),
        "wipefs-create-interrupted",
    );
    let lsblk = lsblk::command();
    let args: Vec<&str> = lsblk.args.iter().map(String::as_str).collect();
    same_keys(&machine.by_hand("lsblk", &args), UTIL, "lsblk-create-interrupted");
}

#[test]
fn disks_of_different_sizes_are_refused() {
    let size = |serial: &str, bytes: u64| DiskSpec::blank(serial).size(bytes);
    let machine = node().disk(size(A, 2 << 30)).disk(size(B, 1 << 30)).build();
    let create = ["create", "-n", "data", "mirror", &crate::by_id(A), &crate::by_id(B)];
    same_text(&machine.by_hand("zpool", &create), ZFS, "zpool-create-n-unequal-sizes");
}
