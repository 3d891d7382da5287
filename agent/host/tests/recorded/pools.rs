use heeler_host::facts::pools;
use heeler_host::zfs::{Module, datasets, datasets_command, module, version_command};
use heeler_host::zpool::{Importable, PoolStatus, importable, importable_command, status, status_command};
use heeler_host::{Command, disk};

use crate::machine::{Recorded, guid, output};

async fn pool(name: &str) -> PoolStatus {
    let mut machine = Recorded::new("blank");
    machine.answer(&status_command(), output(&format!("zfs-2.3.9/zpool-status-{name}")));
    let mut pools = status(&machine).await.unwrap();
    assert_eq!(pools.len(), 1, "{name}");
    pools.remove(0)
}

#[tokio::test]
async fn a_healthy_mirror_is_read_with_both_legs() {
    let pool = pool("mirror").await;
    assert_eq!(
        (pool.name.as_str(), pool.guid, pool.state.as_str()),
        ("data", guid(), "ONLINE")
    );
    assert_eq!(pool.top_level, ["mirror"]);
    assert_eq!(pool.scan, None);
    let legs: Vec<(&str, &str)> = pool
        .legs
        .iter()
        .map(|leg| (leg.path.as_str(), leg.state.as_str()))
        .collect();
    let path = |serial| format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}-part1");
    assert_eq!(
        legs,
        [
            (path("S6XNNS0W100001").as_str(), "ONLINE"),
            (path("S6XNNS0W100002").as_str(), "ONLINE")
        ]
    );
}

#[tokio::test]
async fn a_pools_faults_are_read() {
    for (name, state, first, second) in [
        ("leg-missing", "DEGRADED", "ONLINE", "CANT_OPEN"),
        ("leg-offline", "DEGRADED", "ONLINE", "OFFLINE"),
        ("leg-wiped", "DEGRADED", "ONLINE", "CANT_OPEN"),
        ("resilvered", "ONLINE", "ONLINE", "ONLINE"),
    ] {
        let pool = pool(name).await;
        let legs: Vec<&str> = pool.legs.iter().map(|leg| leg.state.as_str()).collect();
        assert_eq!(
            (pool.state.as_str(), legs.as_slice()),
            (state, [first, second].as_slice()),
            "{name}"
        );
        assert!(!pool.status.contains(['\n', '\t']), "{name}");
    }
    let errors = pool("checksum-errors").await;
    assert_eq!(errors.legs[0].checksum_errors, 0);
    assert!(errors.legs[1].checksum_errors > 0);
}

#[tokio::test]
async fn scans_are_told_apart() {
    let scan = async |name| pool(name).await.scan.unwrap();
    let running = scan("scrubbing").await;
    assert_eq!(
        (running.function.as_str(), running.state.as_str()),
        ("SCRUB", "SCANNING")
    );
    let done = scan("scrubbed").await;
    assert_eq!((done.function.as_str(), done.state.as_str()), ("SCRUB", "FINISHED"));
    assert!(done.end_s > 1_700_000_000);
    assert_eq!(scan("resilvered").await.function, "RESILVER");
}

#[tokio::test]
async fn no_pool_is_an_empty_list() {
    let machine = Recorded::new("blank");
    assert!(status(&machine).await.unwrap().is_empty());
    assert!(importable(&machine).await.unwrap().is_empty());
}

async fn listed(name: &str) -> Vec<Importable> {
    let mut machine = Recorded::new("blank");
    machine.answer(
        &importable_command(),
        output(&format!("zfs-2.3.9/zpool-import-list-{name}")),
    );
    importable(&machine).await.unwrap()
}

#[tokio::test]
async fn an_importable_pool_keeps_the_messages_of_zfs() {
    let exported = listed("exported").await;
    let [pool] = exported.as_slice() else {
        panic!("{exported:?}")
    };
    assert_eq!(
        (pool.name.as_str(), pool.guid, pool.state.as_str()),
        ("data", guid(), "ONLINE")
    );
    assert_eq!(
        (pool.status.as_str(), pool.comment.as_str()),
        ("", "k8sctl/k8sctl-pi5l")
    );
    assert_eq!(
        pool.action,
        "The pool can be imported using its name or numeric identifier."
    );
    let names: Vec<&str> = pool.legs.iter().map(|leg| leg.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001",
            "nvme-QEMU_NVMe_Ctrl_S6XNNS0W100002"
        ]
    );

    let missing = listed("leg-missing").await;
    assert_eq!(missing[0].state, "DEGRADED");
    assert_eq!(missing[0].status, "One or more devices contains corrupted data.");
    assert!(
        missing[0]
            .action
            .ends_with("fault tolerance of the pool may be compromised if imported.")
    );
    assert_eq!(missing[0].legs[1].state, "UNAVAIL");
    assert!(!missing[0].last_used_elsewhere() && !missing[0].unsupported_feature());
}

#[tokio::test]
async fn file_systems_and_volumes_are_read() {
    let mut machine = Recorded::new("blank");
    machine.answer(&datasets_command(), output("zfs-2.3.9/zfs-list-mirror"));
    let found = datasets(&machine).await.unwrap();
    let names: Vec<(&str, &str, bool)> = found
        .iter()
        .map(|one| (one.name.as_str(), one.mountpoint.as_str(), one.mounted))
        .collect();
    assert_eq!(
        names,
        [
            ("data", "none", false),
            ("data/pve-files", "/data/pve-files", true),
            ("data/vm", "none", false),
            ("data/vm/disk-0", "", false)
        ]
    );
    assert!(found[1].mountpoint_local && found[1].kind == "FILESYSTEM" && found[3].kind == "VOLUME");
    machine.answer(&datasets_command(), output("zfs-2.3.9/zfs-list-no-pool"));
    assert!(datasets(&machine).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_module_is_asked_for_its_version() {
    let mut machine = Recorded::new("blank");
    machine.answer(&version_command(), output("zfs-2.3.9/zfs-version"));
    let loaded = Module::Loaded {
        userland: "zfs-2.3.9-0+deb13u1".to_owned(),
        kernel: "zfs-kmod-2.3.9-0+deb13u1".to_owned(),
    };
    assert_eq!(module(&machine).await.unwrap(), loaded);
}

#[tokio::test]
async fn a_pool_is_reported_with_its_serials_and_owner() {
    let mut machine = Recorded::new("active");
    let get = Command::look("zpool").args(["get", "-j", "--json-int", "-p", "all", "data"]);
    machine.answer(&get, output("zfs-2.3.9/zpool-get-all-mirror"));
    let inventory = disk::inventory(&machine).await.unwrap();
    let facts = pools(&machine, &inventory.around).await.read;
    assert_eq!(
        (facts[0].comment.as_str(), facts[0].size_bytes),
        ("k8sctl/k8sctl-pi5l", 2_013_265_920)
    );
    let serials: Vec<&str> = facts[0].legs.iter().map(|leg| leg.serial.as_str()).collect();
    assert_eq!(serials, ["S6XNNS0W100001", "S6XNNS0W100002"]);

    machine.answer(&status_command(), output("zfs-2.3.9/zpool-status-leg-missing"));
    let inventory = disk::inventory(&machine).await.unwrap();
    let facts = pools(&machine, &inventory.around).await.read;
    assert_eq!(facts[0].legs[1].serial, "", "a leg that ZFS cannot open is on no disk");
}

#[tokio::test]
async fn a_guid_above_the_signed_range_is_read() {
    let mut machine = Recorded::new("active");
    let get = Command::look("zpool").args(["get", "-j", "--json-int", "-p", "all", "data"]);
    machine.answer(&get, output("zfs-2.3.9/zpool-get-all-mirror"));
    let properties = heeler_host::zpool::properties(&machine, "data").await.unwrap();
    assert_eq!(properties["guid"], "16640994113193322850");
}

#[tokio::test]
async fn an_ambiguous_import_is_reported() {
    let elsewhere = listed("in-use-elsewhere").await;
    assert_eq!(elsewhere.len(), 1);
    assert!(elsewhere[0].last_used_elsewhere() && elsewhere[0].state == "ONLINE");
    assert!(
        elsewhere[0]
            .action
            .ends_with("its name or numeric identifier and the '-f' flag.")
    );

    let newer = listed("unsupported-feature").await;
    assert!(newer[0].unsupported_feature() && newer[0].state == "UNAVAIL");
    assert!(newer[0].status.ends_with("com.example:later (of a later release)"));

    let corrupt = listed("corrupt").await;
    assert_eq!((corrupt[0].state.as_str(), corrupt[0].legs.len()), ("FAULTED", 2));
    assert_eq!(corrupt[0].status, "The pool metadata is corrupted.");

    let broken = listed("stripe-broken").await;
    let legs: Vec<&str> = broken[0].legs.iter().map(|leg| leg.state.as_str()).collect();
    assert_eq!(
        (broken[0].state.as_str(), legs.as_slice()),
        ("UNAVAIL", ["ONLINE", "UNAVAIL"].as_slice())
    );
}

#[tokio::test]
async fn two_pools_of_one_name_are_two() {
    let pools = listed("two-of-one-name").await;
    assert_eq!(pools.len(), 2);
    assert_eq!(pools[0].name, pools[1].name);
    assert_ne!(pools[0].guid, pools[1].guid);
    assert!(pools.iter().all(|pool| pool.legs.len() == 1 && pool.comment.is_empty()));
}

#[tokio::test]
async fn without_the_module_pools_are_unknown() {
    let mut machine = Recorded::new("blank");
    machine.answer(&version_command(), output("zfs-2.3.9/zfs-version-no-module"));
    assert_eq!(module(&machine).await.unwrap(), Module::NotLoaded);
    machine.answer(&status_command(), output("zfs-2.3.9/zpool-status-json-no-module"));
    assert!(status(&machine).await.is_err());
    machine.answer(&importable_command(), output("zfs-2.3.9/zpool-import-no-module"));
    assert!(importable(&machine).await.is_err());
}
