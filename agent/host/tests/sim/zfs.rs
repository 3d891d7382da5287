use std::path::Path;

use heeler_host::sim::{Left, Machine};
use heeler_host::{Command, System, UnitAction, arc, facts, findmnt, hostid, zfs, zpool};

use crate::{A, B, args, by_id, create, node, now};

fn with_pool() -> Machine {
    let machine = node().blank(A).blank(B).build();
    machine
        .put_file(hostid::PATH, &0x1234_5678_u32.to_le_bytes())
        .expect("written");
    let steps = [
        zfs::load_command(),
        create(),
        zfs::create_command("data/pve-files", "/data/pve-files"),
        zfs::create_command("data/vm", "none"),
    ];
    for step in steps {
        let output = now(machine.run(&step)).expect("power").expect("runs");
        assert!(output.ok(), "{step}: {output:?}");
    }
    machine
}

#[test]
fn without_the_module_no_pool_command_works() {
    let broken = node().blank(A).module_missing().build();
    assert_eq!(
        now(zfs::module(&broken)).expect("power").expect("answers"),
        zfs::Module::NotLoaded
    );
    assert!(now(zpool::status(&broken)).expect("power").is_err());
    assert!(now(zpool::importable(&broken)).expect("power").is_err());
    assert!(!broken.by_hand("modprobe", &["zfs"]).ok());
    let bare = node().without_zfs().build();
    assert_eq!(
        now(zfs::module(&bare)).expect("power").expect("answers"),
        zfs::Module::NotInstalled
    );
}

#[test]
fn a_new_pool_is_online_with_mounted_datasets() {
    let machine = with_pool();
    let facts = now(facts::collect(&machine)).expect("power").expect("answers");
    let [pool] = facts.pools.read.as_slice() else {
        panic!("{:?}", facts.pools)
    };
    assert_eq!((pool.name.as_str(), pool.state.as_str()), ("data", "ONLINE"));
    assert_eq!(pool.comment, "heeler:k8sctl/k8sctl-pi5l");
    let serials: Vec<&str> = pool.legs.iter().map(|leg| leg.serial.as_str()).collect();
    assert_eq!(serials, [A, B]);
    let datasets = now(zfs::datasets(&machine)).expect("power").expect("answers");
    let shown: Vec<_> = datasets
        .iter()
        .map(|one| (one.name.as_str(), one.mountpoint.as_str(), one.mounted))
        .collect();
    let expected = [
        ("data", "none", false),
        ("data/pve-files", "/data/pve-files", true),
        ("data/vm", "none", false),
    ];
    assert_eq!(shown, expected);
    let mounts = now(findmnt::mounts(&machine)).expect("power").expect("answers");
    assert!(
        mounts
            .iter()
            .any(|mount| mount.source == "data/pve-files" && mount.target == "/data/pve-files")
    );
}

#[test]
fn files_survive_a_reboot() {
    let machine = with_pool();
    machine.put_file("/data/pve-files/iso/a", b"precious").expect("written");
    machine.boot();
    assert_eq!(machine.file("/data/pve-files/iso/a").as_deref(), Some(&b"precious"[..]));
    let disabled = now(machine.unit("zfs-import-cache.service", UnitAction::Disable)).expect("power");
    assert_eq!(disabled, Ok(()));
    machine.boot();
    assert_eq!(machine.file("/data/pve-files/iso/a"), None);
    assert_eq!(machine.pool_guid("data"), None);
}

#[test]
fn a_reflashed_node_imports_only_with_its_host_id() {
    let machine = with_pool();
    let guid = machine.pool_guid("data").expect("imported");
    machine.put_file("/data/pve-files/a", b"precious").expect("written");
    machine.replace_root_disk();
    machine.by_hand("modprobe", &["zfs"]);
    let import = zpool::import_command(guid);
    let refused = now(machine.run(&import)).expect("power").expect("runs");
    assert!(
        refused
            .stderr
            .contains("pool was previously in use from another system"),
        "{refused:?}"
    );
    let [listed] = &now(zpool::importable(&machine)).expect("power").expect("answers")[..] else {
        panic!("one pool")
    };
    assert!(listed.last_used_elsewhere());
    now(machine.write(&hostid::file(0x1234_5678)))
        .expect("power")
        .expect("written");
    assert!(now(machine.run(&import)).expect("power").expect("runs").ok());
    now(machine.run(&Command::change("zfs").args(["mount", "-a"])))
        .expect("power")
        .expect("runs");
    assert_eq!(machine.file("/data/pve-files/a").as_deref(), Some(&b"precious"[..]));
}

#[test]
fn a_stale_leg_imported_alone_shows_old_data() {
    let machine = with_pool();
    machine.put_file("/data/pve-files/a", b"old").expect("written");
    machine.pull_disk(B);
    assert_eq!(
        now(zpool::status(&machine)).expect("power").expect("answers")[0].state,
        "DEGRADED"
    );
    machine.put_file("/data/pve-files/a", b"new").expect("written");
    machine.by_hand("zpool", &["export", "data"]);
    machine.pull_disk(A);
    machine.insert_disk(B);
    machine.boot();
    let [listed] = &now(zpool::importable(&machine)).expect("power").expect("answers")[..] else {
        panic!("one pool")
    };
    assert_eq!(listed.state, "DEGRADED");
    let import = zpool::import_command(listed.guid);
    assert!(now(machine.run(&import)).expect("power").expect("runs").ok());
    machine.by_hand("zfs", &["mount", "-a"]);
    assert_eq!(machine.file("/data/pve-files/a").as_deref(), Some(&b"old"[..]));
}

#[test]
fn with_both_legs_the_newer_one_wins() {
    let machine = with_pool();
    machine.pull_disk(B);
    machine.put_file("/data/pve-files/a", b"new").expect("written");
    machine.insert_disk(B);
    machine.boot();
    assert_eq!(
        now(zpool::status(&machine)).expect("power").expect("answers")[0].state,
        "ONLINE"
    );
    machine.by_hand("zpool", &["export", "data"]);
    machine.pull_disk(A);
    machine.by_hand("zpool", &["import", "data"]);
    assert_eq!(machine.file("/data/pve-files/a").as_deref(), Some(&b"new"[..]));
}

#[test]
fn unimportable_pools_give_the_reason() {
    let machine = node().blank(A).blank(B).build();
    machine.leave_pool("data", &[A, B], Left::WithUnknownFeature);
    machine.by_hand("modprobe", &["zfs"]);
    let [listed] = &now(zpool::importable(&machine)).expect("power").expect("answers")[..] else {
        panic!("one pool")
    };
    assert!(listed.unsupported_feature());
    let answer = now(machine.run(&zpool::import_command(listed.guid)))
        .expect("power")
        .expect("runs");
    assert!(!answer.ok() && answer.stderr.contains("unsupported version or feature"));

    let machine = node().blank(A).blank(B).build();
    machine.leave_pool("data", &[A], Left::Exported);
    machine.leave_pool("data", &[B], Left::Exported);
    machine.by_hand("modprobe", &["zfs"]);
    assert_eq!(
        now(zpool::importable(&machine)).expect("power").expect("answers").len(),
        2
    );
    let answer = machine.by_hand("zpool", &["import", "data"]);
    assert!(answer.stderr.contains("more than one matching pool"), "{answer:?}");
}

#[test]
fn the_cache_is_capped_live_and_at_the_next_boot() {
    let machine = with_pool();
    let cap = |machine: &Machine| {
        now(arc::read(machine))
            .expect("power")
            .expect("answers")
            .expect("loaded")
    };
    assert_eq!(cap(&machine).parameter_bytes, 0);
    let set = now(machine.set_parameter(Path::new(arc::PARAMETER), "805306368")).expect("power");
    assert!(set.is_ok());
    assert_eq!(cap(&machine).max_bytes, 805_306_368);
    machine.boot();
    assert_eq!(cap(&machine).parameter_bytes, 0);
    machine
        .put_file("/etc/modprobe.d/zfs.conf", b"options zfs zfs_arc_max=536870912\n")
        .expect("written");
    machine.boot();
    assert_eq!(cap(&machine).max_bytes, 536_870_912);
}

#[test]
fn an_immutable_folder_takes_a_mount_and_no_file() {
    let machine = with_pool();
    machine.by_hand("mkdir", &["-p", "/srv/x"]);
    machine.by_hand("chattr", &["+i", "/srv/x"]);
    assert!(machine.put_file("/srv/x/stray", b"").is_err());
    assert!(
        machine
            .by_hand("zfs", &["create", "-o", "mountpoint=/srv/x", "data/x"])
            .ok()
    );
    assert!(machine.put_file("/srv/x/file", b"").is_ok());
}

#[test]
fn a_disk_in_use_cannot_be_zeroed() {
    let machine = with_pool();
    let before = machine.hash_disk(A);
    let answer = machine.by_hand("blkdiscard", &["--zeroout", &by_id(A)]);
    assert!(answer.stderr.contains("Device or resource busy"));
    assert_eq!(machine.hash_disk(A), before);
}

#[test]
fn zfs_creates_over_a_destroyed_pool() {
    let machine = node().blank(A).blank(B).build();
    machine.leave_pool("old", &[A, B], Left::Destroyed);
    machine.by_hand("modprobe", &["zfs"]);
    assert!(machine.by_hand("zpool", &args(&create())).ok());
}
