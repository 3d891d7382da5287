use heeler_host::Output;
use heeler_host::sim::{Content, Machine};
use heeler_host::zfs;

use super::{ZFS, lab, path, recorded, same_text};
use crate::{A, B, args};

const FILES: &str = "data/pve-files";

fn at(hour: u32) -> String {
    let class = if hour == 0 { "daily" } else { "hourly" };
    format!("heeler_20261122T{hour:02}0000Z_{class}")
}

fn of(dataset: &str, hour: u32) -> String {
    format!("{dataset}@{}", at(hour))
}

fn zfs(machine: &Machine, args: &[&str]) -> Output {
    machine.by_hand("zfs", args)
}

fn done(machine: &Machine, args: &[&str]) {
    let output = zfs(machine, args);
    assert!(output.ok(), "{args:?}: {output:?}");
}

fn with_pool() -> Machine {
    let machine = lab(Content::Blank);
    let (a, b) = (path(A), path(B));
    let mirror = ["create", "-O", "mountpoint=none", "data", "mirror", &a, &b];
    assert!(machine.by_hand("zpool", &mirror).ok());
    done(&machine, &["create", "-o", "mountpoint=/data/pve-files", FILES]);
    done(&machine, &["create", "-o", "mountpoint=none", "data/vm"]);
    machine
}

/// As recorded: some of Heeler's, some that inherit its property, one held, one cloned.
fn with_snapshots() -> Machine {
    let machine = with_pool();
    let write = |name: &str, text: &[u8]| {
        machine
            .put_file(&format!("/data/pve-files/{name}"), text)
            .expect("written");
    };
    let class = |class: &str| format!("heeler:class={class}");
    write("one", b"one\n");
    let first = [
        "snapshot",
        "-o",
        &class("hourly,daily"),
        &of(FILES, 0),
        &of("data/vm", 0),
    ];
    same_text(&zfs(&machine, &first), ZFS, "zfs-snapshot-ok");
    same_text(&zfs(&machine, &first), ZFS, "zfs-snapshot-again");
    let one_there = ["snapshot", "-o", &class("hourly"), &of(FILES, 0), &of("data/vm", 1)];
    same_text(&zfs(&machine, &one_there), ZFS, "zfs-snapshot-one-is-there");
    for hour in 1..=5 {
        done(
            &machine,
            &[
                "snapshot",
                "-o",
                &class("hourly"),
                &of(FILES, hour),
                &of("data/vm", hour),
            ],
        );
    }
    done(&machine, &["set", &class("hourly"), FILES]);
    done(&machine, &["snapshot", "data/pve-files@by-hand"]);
    done(&machine, &["snapshot", &of(FILES, 6)]);
    done(&machine, &["inherit", "heeler:class", FILES]);
    done(&machine, &["set", &class("hourly"), "data"]);
    same_text(&zfs(&machine, &["hold", "keep", &of(FILES, 1)]), ZFS, "zfs-hold-ok");
    same_text(&zfs(&machine, &["hold", "keep", &of(FILES, 1)]), ZFS, "zfs-hold-again");
    let missing = ["hold", "keep", "data/pve-files@nosuch"];
    same_text(&zfs(&machine, &missing), ZFS, "zfs-hold-missing");
    same_text(&zfs(&machine, &["holds", "-Hp", &of(FILES, 1)]), ZFS, "zfs-holds");
    done(
        &machine,
        &["clone", "-o", "mountpoint=none", &of(FILES, 2), "data/clone"],
    );
    machine
}

/// Names, holds and clones, in order; other numbers are only checked to be numbers.
fn rows(output: &Output) -> Vec<[&str; 3]> {
    let fields = |line| {
        let all: Vec<&str> = str::split(line, '\t').collect();
        assert_eq!(all.len(), 7, "{line}");
        assert!(all[1..6].iter().all(|field| field.parse::<u64>().is_ok()), "{line}");
        [all[0], all[5], all[6]]
    };
    output.stdout.lines().map(fields).collect()
}

fn same_rows(machine: &Machine, name: &str) {
    let list = zfs::snapshots_command(FILES);
    let mut list = args(&list);
    list.push("data/vm");
    let (ours, real) = (zfs(machine, &list), recorded(ZFS, name));
    assert_eq!(rows(&ours), rows(&real), "{name}");
    assert_eq!((ours.code, &ours.stderr), (real.code, &real.stderr), "{name}");
}

#[test]
fn snapshots_are_listed_and_marked_as_by_the_real_program() {
    let machine = with_pool();
    same_rows(&machine, "zfs-list-snapshots-none");
    let machine = with_snapshots();
    same_rows(&machine, "zfs-list-snapshots-many");
    let marks = zfs::marks_command(FILES);
    let mut marks = args(&marks);
    marks.push("data/vm");
    same_text(&zfs(&machine, &marks), ZFS, "zfs-get-snapshot-marks-many");
    let columns = "name,property,value,source";
    let all = [
        "get",
        "-Hp",
        "-t",
        "snapshot",
        "-d",
        "1",
        "-o",
        columns,
        "heeler:class",
        FILES,
    ];
    same_text(&zfs(&machine, &all), ZFS, "zfs-get-all-marks");
    let gone = zfs::marks_command("data/gone");
    same_text(&zfs(&machine, &args(&gone)), ZFS, "zfs-get-snapshot-marks-no-dataset");
}

#[test]
fn held_cloned_and_missing_snapshots_fail_as_recorded() {
    let machine = with_snapshots();
    let missing = "data/pve-files@nosuch".to_owned();
    let both = |one: u32, more: &str| format!("{},{more}", of(FILES, one));
    for (name, target) in [
        ("one", of(FILES, 3)),
        ("batch", both(3, &at(4))),
        ("held", of(FILES, 1)),
        ("cloned", of(FILES, 2)),
        ("missing", missing.clone()),
        ("batch-missing", both(3, "nosuch")),
        ("batch-held", both(1, &at(3))),
    ] {
        let output = zfs(&machine, &["destroy", "-nvp", &target]);
        same_text(&output, ZFS, &format!("zfs-destroy-dry-{name}"));
    }
    for (name, target) in [
        ("held", of(FILES, 1)),
        ("cloned", of(FILES, 2)),
        ("missing", missing),
        ("batch-held", both(1, &at(3))),
    ] {
        same_text(
            &zfs(&machine, &["destroy", &target]),
            ZFS,
            &format!("zfs-destroy-{name}"),
        );
    }
    same_rows(&machine, "zfs-list-snapshots-after-batch-held");
    let cloned = both(2, &at(3));
    same_text(&zfs(&machine, &["destroy", &cloned]), ZFS, "zfs-destroy-batch-cloned");
    same_rows(&machine, "zfs-list-snapshots-after-batch-cloned");
    same_text(&zfs(&machine, &["destroy", &of(FILES, 4)]), ZFS, "zfs-destroy-ok");
    for name in ["zfs-release-ok", "zfs-release-again"] {
        same_text(&zfs(&machine, &["release", "keep", &of(FILES, 1)]), ZFS, name);
    }
}

#[test]
fn snapshots_without_dataset_or_space_fail_as_recorded() {
    let machine = with_pool();
    let take = |targets: &[&str]| {
        zfs(
            &machine,
            &[&["snapshot", "-o", "heeler:class=hourly"], targets].concat(),
        )
    };
    let hour = of("data/gone", 1);
    same_text(&take(&[&hour]), ZFS, "zfs-snapshot-no-dataset");
    let half = |dataset: &str| format!("{dataset}@heeler_20261122T003000Z_hourly");
    same_text(
        &take(&[&half(FILES), &half("data/gone")]),
        ZFS,
        "zfs-snapshot-one-dataset-is-gone",
    );
    same_text(&take(&[&of("nopool/x", 1)]), ZFS, "zfs-snapshot-no-pool");
    machine.set_pool_full("data", true);
    same_text(&take(&[&of(FILES, 2)]), ZFS, "zfs-snapshot-no-room");
}
