use heeler_host::Output;
use heeler_host::sim::{Content, Machine};

use super::{UTIL, ZFS, lab, path, recorded, same_keys, same_signatures, same_text, tags};
use crate::{A, B};

fn with_pool() -> Machine {
    let machine = lab(Content::Blank);
    let (a, b) = (path(A), path(B));
    let options = "-o ashift=12 -o autotrim=on -o cachefile=/etc/zfs/zpool.cache -o comment=k8sctl/k8sctl-pi5l \
                   -O compression=lz4 -O atime=off -O xattr=sa -O acltype=posixacl -O dnodesize=auto \
                   -O mountpoint=none -O canmount=off data mirror";
    let args: Vec<&str> = ["create"]
        .into_iter()
        .chain(options.split_whitespace())
        .chain([a.as_str(), b.as_str()])
        .collect();
    same_text(&machine.by_hand("zpool", &args), ZFS, "zpool-create-ok");
    let dataset = ["create", "-o", "mountpoint=/data/pve-files", "data/pve-files"];
    same_text(&machine.by_hand("zfs", &dataset), ZFS, "zfs-create-ok");
    same_text(&machine.by_hand("zfs", &dataset), ZFS, "zfs-create-again");
    same_text(
        &machine.by_hand("zfs", &["create", "data/no/child"]),
        ZFS,
        "zfs-create-no-parent",
    );
    machine.by_hand("zfs", &["create", "-o", "mountpoint=none", "data/vm"]);
    machine
}

pub(super) const STATUS: [&str; 5] = ["status", "-j", "--json-int", "-p", "-P"];

#[test]
fn an_imported_pool_is_described_as_by_the_real_programs() {
    let machine = with_pool();
    same_keys(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-mirror");
    same_keys(
        &machine.by_hand("zpool", &["get", "-j", "--json-int", "-p", "all", "data"]),
        ZFS,
        "zpool-get-all-mirror",
    );
    let columns = "name,mountpoint,mounted,canmount,used,referenced,available,creation";
    let list = [
        "list",
        "-j",
        "--json-int",
        "-p",
        "-t",
        "filesystem,volume",
        "-o",
        columns,
    ];
    same_keys(&machine.by_hand("zfs", &list), ZFS, "zfs-list-mirror");
    same_keys(&machine.by_hand("zfs", &["version", "-j"]), ZFS, "zfs-version");
    same_text(&machine.by_hand("zfs", &["mount", "-a"]), ZFS, "zfs-mount-all");
    same_text(
        &machine.by_hand("sfdisk", &["--dump", &path(A)]),
        UTIL,
        "sfdisk-dump-active",
    );
    same_signatures(
        &machine.by_hand("wipefs", &["--no-act", "--json", &path(A)]),
        "wipefs-active",
    );
    let columns = "name,guid,size,allocated,free,fragmentation,capacity,dedupratio,health,altroot";
    let fields = |output: &Output| output.stdout.split('\t').count();
    let listed = machine.by_hand("zpool", &["list", "-Hp", "-o", columns]);
    assert_eq!(fields(&listed), fields(&recorded(ZFS, "zpool-list-mirror")));
    for (name, verb) in [
        ("zpool-create-active", "data"),
        ("zpool-create-other-name-active", "other"),
    ] {
        same_text(
            &machine.by_hand("zpool", &["create", verb, "mirror", &path(A), &path(B)]),
            ZFS,
            name,
        );
    }
    let guid = machine.pool_guid("data").expect("imported").to_string();
    for (name, which) in [
        ("zpool-import-name-active", "data"),
        ("zpool-import-guid-active", &guid),
    ] {
        same_text(
            &machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id", which]),
            ZFS,
            name,
        );
    }
    let part = format!("{}-part1", path(A));
    for (name, device) in [
        ("zpool-labelclear-active", &path(A)),
        ("zpool-labelclear-active-part1", &part),
    ] {
        same_text(&machine.by_hand("zpool", &["labelclear", device]), ZFS, name);
    }
}

#[test]
fn labels_are_described_as_by_the_real_programs() {
    let machine = with_pool();
    let part = format!("{}-part1", path(A));
    let lines = |output: &Output| {
        let keys = output
            .stdout
            .lines()
            .map(|line| line.split_once(": ").map_or(line, |(key, _)| key).trim_end().to_owned());
        // These are about a slot's LED, which a Raspberry Pi does not have.
        keys.filter(|line| !line.contains("vdev_enc_sysfs_path"))
            .collect::<Vec<_>>()
    };
    let ours = machine.by_hand("zdb", &["-l", &part]);
    let real = recorded(ZFS, "zdb-label-active-part1");
    assert_eq!((lines(&ours), ours.code), (lines(&real), real.code));
    same_signatures(
        &machine.by_hand("wipefs", &["--no-act", "--json", &part]),
        "wipefs-active-part1",
    );
    let probe = machine.by_hand("blkid", &["-p", "-o", "export", &part]);
    assert_eq!(tags(&probe), tags(&recorded(UTIL, "blkid-active-part1")));
}

#[test]
fn exported_simulated_pools_look_like_recorded_ones() {
    let listing = ["import", "-d", "/dev/disk/by-id"];
    let machine = with_pool();
    same_text(&machine.by_hand("zpool", &["export", "data"]), ZFS, "zpool-export-ok");
    same_text(&machine.by_hand("zpool", &listing), ZFS, "zpool-import-list-exported");
    for (name, pool) in [
        ("zpool-create-exported", "data"),
        ("zpool-create-over-exported", "fresh"),
    ] {
        same_text(
            &machine.by_hand("zpool", &["create", pool, "mirror", &path(A), &path(B)]),
            ZFS,
            name,
        );
    }
    let part = format!("{}-part1", path(A));
    for (name, device) in [
        ("zpool-labelclear-exported", &path(A)),
        ("zpool-labelclear-exported-part1", &part),
    ] {
        same_text(&machine.by_hand("zpool", &["labelclear", device]), ZFS, name);
    }
    let wrong = [
        "import",
        "-N",
        "-d",
        "/dev/disk/by-id",
        "-o",
        "cachefile=/etc/zfs/zpool.cache",
        "1234567890123456789",
    ];
    same_text(&machine.by_hand("zpool", &wrong), ZFS, "zpool-import-wrong-guid");
    same_text(
        &machine.by_hand("zpool", &["import", "-N", "-d", "/dev/disk/by-id", "nosuch"]),
        ZFS,
        "zpool-import-wrong-name",
    );
    machine.pull_disk(B);
    same_text(
        &machine.by_hand("zpool", &listing),
        ZFS,
        "zpool-import-list-leg-missing",
    );
    machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id", "data"]);
    same_keys(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-leg-missing");
    same_text(&machine.by_hand("zpool", &["destroy", "data"]), ZFS, "zpool-destroy");
    same_text(&machine.by_hand("zpool", &listing), ZFS, "zpool-import-list-destroyed");
    same_text(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-no-pool");
}
