//! The simulated machine says what the real programs were recorded to say: the same text but for guids and dates, the
//! same keys in JSON.

use std::collections::BTreeSet;
use std::path::PathBuf;

use heeler_host::sim::{Content, DiskSpec, Left, Machine};
use heeler_host::{Output, lsblk};
use serde_json::Value;

use crate::{A, B, node};

const UTIL: &str = "util-linux-2.41.5";
const ZFS: &str = "zfs-2.3.9";

/// The disks of the lab.
fn lab(content: Content) -> Machine {
    let disk = |serial: &str, content: Content| DiskSpec {
        serial: serial.to_owned(),
        model: "QEMU NVMe Ctrl".to_owned(),
        size_bytes: 2 << 30,
        content,
    };
    // When the pool of another host was recorded.
    let clock_ms = 1_795_357_898_000;
    node()
        .clock(clock_ms)
        .disk(disk(A, content))
        .disk(disk(B, Content::Blank))
        .build()
}

fn path(serial: &str) -> String {
    format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}")
}

fn recorded(folder: &str, name: &str) -> Output {
    let file = |end: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(folder)
            .join(format!("{name}.{end}"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    Output {
        code: file("rc").trim().parse().expect("a number"),
        stdout: file("stdout"),
        stderr: file("stderr"),
    }
}

/// Guids, UUIDs and large numbers, which differ from machine to machine, become `#`.
fn without_numbers(text: &str) -> String {
    let odd = |word: &str| {
        let hex = word.chars().all(|c| c.is_ascii_hexdigit());
        word.len() >= 6 && hex && word.chars().any(|c| c.is_ascii_digit())
    };
    let uuid = |word: &str| {
        let lengths: Vec<usize> = word.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12]
    };
    let plain = |word: &str| match word {
        word if uuid(word) => "#".to_owned(),
        word => word
            .split('-')
            .map(|part| if odd(part) { "#" } else { part })
            .collect::<Vec<_>>()
            .join("-"),
    };
    let mut bare = String::new();
    let mut at = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            at.push(c);
        } else {
            bare.push_str(&plain(&at));
            bare.push(c);
            at.clear();
        }
    }
    bare.trim_end().to_owned()
}

fn same_text(ours: &Output, folder: &str, name: &str) {
    let real = recorded(folder, name);
    assert_eq!(
        without_numbers(&ours.stdout),
        without_numbers(&real.stdout),
        "{name}: stdout"
    );
    assert_eq!(
        without_numbers(&ours.stderr),
        without_numbers(&real.stderr),
        "{name}: stderr"
    );
    assert_eq!(ours.code, real.code, "{name}: exit code");
}

/// Every path of keys; names of pools, datasets and vdevs become `*`.
fn keys(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        let named = [".pools", ".datasets", ".vdevs"].iter().any(|end| at.ends_with(end));
        match value {
            Value::Object(fields) => {
                for (key, below) in fields {
                    let key = if named { "*" } else { key };
                    walk(below, &format!("{at}.{key}"), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{at}[]"), found)),
            _ => {}
        }
        found.insert(at.to_owned());
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

/// Keys of the real one that the simulated one may lack: what no parser reads.
fn left_out(key: &str) -> bool {
    ["feature@", ".scan_stats", ".scan_processed"]
        .iter()
        .any(|part| key.contains(part))
}

fn same_keys(ours: &Output, folder: &str, name: &str) {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let real = recorded(folder, name);
    let real_keys: BTreeSet<String> = keys(&parse(&real.stdout))
        .into_iter()
        .filter(|key| !left_out(key))
        .collect();
    assert_eq!(keys(&parse(&ours.stdout)), real_keys, "{name}");
    assert_eq!((ours.code, &ours.stderr), (real.code, &real.stderr), "{name}");
}

/// Names of tags, as `blkid -o export` prints them.
fn tags(output: &Output) -> BTreeSet<&str> {
    output
        .stdout
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_content_of_a_disk_is_described_as_by_the_real_programs() {
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

/// Each signature's device, offset and type, in order.
fn same_signatures(ours: &Output, name: &str) {
    let signatures = |output: &Output| {
        let all = serde_json::from_str::<Value>(&output.stdout).expect("JSON")["signatures"].clone();
        let bare = |one: &Value| [&one["device"], &one["offset"], &one["type"]].map(Value::clone);
        all.as_array().expect("a list").iter().map(bare).collect::<Vec<_>>()
    };
    assert_eq!(signatures(ours), signatures(&recorded(UTIL, name)), "{name}");
}

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

const STATUS: [&str; 5] = ["status", "-j", "--json-int", "-p", "-P"];

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
        // Of a slot with a lamp, which a Raspberry Pi has not.
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
fn pools_that_are_not_imported_are_described_as_by_the_real_programs() {
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
fn pools_that_cannot_be_imported_are_described_as_by_the_real_programs() {
    let listing = ["import", "-d", "/dev/disk/by-id"];
    let import = |machine: &Machine, name: &str| {
        let listed = machine.by_hand("zpool", &listing).stdout;
        let guid = listed
            .lines()
            .find_map(|line| line.trim().strip_prefix("id: "))
            .expect("one pool")
            .to_owned();
        let options = ["import", "-N", "-d", "/dev/disk/by-id", "-o", "cachefile=none", &guid];
        same_text(&machine.by_hand("zpool", &options), ZFS, name);
    };
    let made = |left: Left| {
        let machine = lab(Content::Blank);
        machine.leave_pool("data", &[A, B], left);
        machine
    };
    let create = ["create", "-n", "data", "mirror", &path(A), &path(B)];
    let part = format!("{}-part1", path(A));

    let machine = made(Left::ByAnotherHost);
    same_text(
        &machine.by_hand("zpool", &listing),
        ZFS,
        "zpool-import-list-in-use-elsewhere",
    );
    same_text(
        &machine.by_hand("zpool", &create),
        ZFS,
        "zpool-create-n-in-use-elsewhere",
    );
    same_text(
        &machine.by_hand("zpool", &["labelclear", &part]),
        ZFS,
        "zpool-labelclear-in-use-elsewhere-part1",
    );
    import(&machine, "zpool-import-guid-in-use-elsewhere");

    let machine = made(Left::WithUnknownFeature);
    same_text(
        &machine.by_hand("zpool", &listing),
        ZFS,
        "zpool-import-list-unsupported-feature",
    );
    import(&machine, "zpool-import-guid-unsupported-feature");

    let machine = made(Left::Exported);
    for serial in [A, B] {
        machine.write_disk(serial, (1 << 20) + (4 << 20), &[0xff; 64]);
    }
    same_text(&machine.by_hand("zpool", &listing), ZFS, "zpool-import-list-corrupt");
    import(&machine, "zpool-import-guid-corrupt");

    let machine = lab(Content::Blank);
    machine.leave_pool("data", &[A], Left::Exported);
    machine.leave_pool("data", &[B], Left::Exported);
    same_text(
        &machine.by_hand("zpool", &create),
        ZFS,
        "zpool-create-n-two-of-one-name",
    );
    let by_name = ["import", "-d", "/dev/disk/by-id", "data"];
    same_text(
        &machine.by_hand("zpool", &by_name),
        ZFS,
        "zpool-import-name-two-of-one-name",
    );
    let sorted = |output: &Output| {
        let text = without_numbers(&output.stdout);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let real = recorded(ZFS, "zpool-import-list-two-of-one-name");
    assert_eq!(sorted(&machine.by_hand("zpool", &listing)), sorted(&real));
    import(&machine, "zpool-import-guid-two-of-one-name");
    same_keys(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-single");
    import(&machine, "zpool-import-guid-name-taken");
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
fn disks_of_different_sizes_are_refused_as_by_the_real_program() {
    let size = |serial: &str, bytes: u64| DiskSpec::blank(serial).size(bytes);
    let machine = node().disk(size(A, 2 << 30)).disk(size(B, 1 << 30)).build();
    let create = ["create", "-n", "data", "mirror", &crate::by_id(A), &crate::by_id(B)];
    same_text(&machine.by_hand("zpool", &create), ZFS, "zpool-create-n-unequal-sizes");
}

#[test]
fn without_a_module_every_verb_fails_as_in_the_real_programs() {
    let machine = node().blank(A).module_missing().build();
    same_text(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-json-no-module");
    same_text(
        &machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id"]),
        ZFS,
        "zpool-import-no-module",
    );
    same_text(
        &machine.by_hand("zfs", &["version", "-j"]),
        ZFS,
        "zfs-version-no-module",
    );
    same_text(
        &machine.by_hand("zdb", &["-l", &crate::by_id(A)]),
        ZFS,
        "zdb-label-no-module",
    );
}

/// Keys that come and go with the network: of IPv6, of leases.
fn of_the_network(key: &str) -> bool {
    let words = ["dynamic", "noprefixroute", "protocol", "broadcast"];
    words.iter().any(|word| key.ends_with(word)) && key.contains("addr_info")
}

#[test]
fn the_node_itself_is_described_as_by_the_real_programs() {
    let nic = heeler_host::sim::Nic::onboard("2c:cf:67:00:00:01", "10.10.80.50/24");
    let machine = node().nic(nic).build();
    for (name, what) in [("addr", "addr"), ("route", "route")] {
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let all = |output: &Output| keys(&parse(&output.stdout));
        let ours = all(&machine.by_hand("ip", &["-j", what]));
        let real: BTreeSet<_> = all(&recorded("iproute2-6.15.0", name)).into_iter().collect();
        assert_eq!(
            ours,
            real.into_iter().filter(|key| !of_the_network(key)).collect(),
            "{name}"
        );
    }
    let shown = machine.by_hand("timedatectl", &["show"]);
    let real = recorded("systemd-257", "timedatectl-show");
    assert!(tags(&shown).is_subset(&tags(&real)));
    let status = |output: &Output| serde_json::from_str::<Value>(&output.stdout).expect("JSON")["status"].clone();
    let shown = machine.by_hand("cloud-init", &["status", "--format", "json"]);
    assert_eq!(status(&shown), status(&recorded("cloud-init-25.1.4", "status")));
}

#[test]
fn units_of_zfs_stand_as_debian_installs_them() {
    let machine = node().build();
    for line in recorded("systemd-257", "list-unit-files-zfs").stdout.lines() {
        let mut words = line.split_whitespace();
        let (name, state) = (words.next().expect("a name"), words.next().expect("a state"));
        // Templates and timers are for later.
        if name.contains('@') {
            continue;
        }
        let ours = crate::now(heeler_host::System::unit_state(&machine, name))
            .expect("power")
            .expect("known");
        assert_eq!(ours.enabled, state, "{name}");
    }
}
