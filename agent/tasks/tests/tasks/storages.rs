//! Proxmox's storages.

use heeler_host::Output;
use heeler_host::pvesm::{self, Storage};
use heeler_host::sim::Fault;
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::access::named;
use crate::every_point::at_every_point;
use crate::life::{A, B, Life, blocked, ensure, pi, spec};

const VM: &str =
    r#"{"name":"local-nvme","place":{"zfspool":{"dataset":"data/vm","sparse":true}},"content":["images","rootdir"]}"#;
const FILES: &str =
    r#"{"name":"files","place":{"dir":{"dataset":"data/pve-files","path":"/data/pve-files"}},"content":["iso"]}"#;
const CARD: &str = r#"{"name":"local","place":"card","content":["iso","vztmpl"]}"#;

fn task(storages: &[&str]) -> Task {
    let spec = format!(r#"{{"storages":[{}]}}"#, storages.join(","));
    Task::read("set up storages", spec.as_bytes()).unwrap()
}

fn usual() -> Task {
    task(&[VM, FILES, CARD])
}

/// A node with Proxmox and the pool.
async fn node() -> Life {
    let mut life = named(pi().blank(A).blank(B));
    life.machine.install_proxmox();
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    life
}

async fn storage(life: &Life, name: &str) -> Option<Storage> {
    let all = pvesm::storages(&life.machine).await.unwrap();
    all.into_iter().find(|storage| storage.name == name)
}

/// Each storage in one line.
async fn storages(life: &Life) -> Vec<String> {
    let all = pvesm::storages(&life.machine).await.unwrap();
    let active = pvesm::active(&life.machine).await.unwrap();
    let line = |one: &Storage| {
        let content = Vec::from_iter(one.content.iter().map(String::as_str)).join(",");
        let active = if active.contains(&one.name) {
            "active"
        } else {
            "inactive"
        };
        let Storage {
            name,
            kind,
            place,
            sparse,
            only_mounted,
            ..
        } = one;
        format!("{name} {kind} {place} {content} {sparse} {only_mounted} {active}")
    };
    all.iter().map(line).collect()
}

const DONE: [&str; 3] = [
    "files dir /data/pve-files iso false true active",
    "local dir /var/lib/vz iso,vztmpl false false active",
    "local-nvme zfspool data/vm images,rootdir true false active",
];

#[tokio::test]
async fn storages_are_set_up_wherever_it_is_interrupted() {
    at_every_point(node, &usual(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(storages(life).await, DONE, "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_node_with_its_storages_is_not_changed() {
    let mut life = node().await;
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    life.machine.clear_log();
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn what_differs_is_set_and_other_storages_stay() {
    let mut life = node().await;
    let by_hand = |args: &[&str]| assert!(life.machine.by_hand("pvesm", args).ok(), "{args:?}");
    by_hand(&["add", "dir", "theirs", "--path", "/srv/theirs"]);
    by_hand(&[
        "add",
        "dir",
        "files",
        "--path",
        "/data/pve-files",
        "--content",
        "vztmpl,iso",
    ]);
    by_hand(&[
        "add",
        "zfspool",
        "local-nvme",
        "--pool",
        "data/vm",
        "--content",
        "rootdir,images",
    ]);
    by_hand(&["set", "local-nvme", "--disable", "1"]);
    life.machine.clear_log();
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    let changes: Vec<String> = life.changes();
    assert_eq!(
        changes,
        [
            "pvesm set local-nvme --sparse 1 --disable 0",
            "pvesm set files --content iso --is_mountpoint yes --create-base-path 0",
            "pvesm set local --content iso,vztmpl",
        ]
    );
    let all = storages(&life).await;
    assert!(DONE.iter().all(|line| all.iter().any(|one| one == line)), "{all:?}");
    assert_eq!(storage(&life, "theirs").await.unwrap().place, "/srv/theirs");
}

#[tokio::test]
async fn a_storage_of_that_name_elsewhere_blocks() {
    for there in [
        ["add", "dir", "local-nvme", "--path", "/data/vm"],
        ["add", "zfspool", "local-nvme", "--pool", "data/other"],
    ] {
        let mut life = node().await;
        assert!(life.machine.by_hand("pvesm", &there).ok());
        let before = storage(&life, "local-nvme").await;
        let (found, why, next) = blocked(life.apply(&usual()).await);
        assert_eq!(
            found,
            format!("Proxmox has a storage local-nvme already: {} {}", there[1], there[4])
        );
        assert!(
            why.contains("zfspool data/vm") && next.contains("another name"),
            "{why} {next}"
        );
        assert_eq!(storage(&life, "local-nvme").await, before);
    }
}

#[tokio::test]
async fn a_storage_in_use_keeps_what_it_may_hold() {
    let disabled = r#"{"name":"local","place":"card","content":[],"disabled":true}"#;
    for (card, held) in [(CARD, "images"), (disabled, "iso")] {
        let mut life = node().await;
        life.machine.put_volume("local:100/vm-100-disk-0.raw", held);
        life.machine.put_volume("local:100/vm-100-disk-1.raw", held);
        let before = storage(&life, "local").await;
        let (found, why, next) = blocked(life.apply(&task(&[card])).await);
        assert_eq!(
            found,
            format!("the storage local holds {held}: local:100/vm-100-disk-0.raw and 1 more")
        );
        assert!(
            why.contains("would not start") && next.contains("take [storages.local] out"),
            "{why} {next}"
        );
        assert_eq!(storage(&life, "local").await, before);
    }
}

#[tokio::test]
async fn the_card_is_disabled_only_when_heeler_toml_says_so() {
    let mut life = node().await;
    assert_eq!(life.apply(&task(&[VM])).await, Outcome::Done);
    assert!(!storage(&life, "local").await.unwrap().disabled);
    let disabled = task(&[r#"{"name":"local","place":"card","content":[],"disabled":true}"#]);
    assert_eq!(life.apply(&disabled).await, Outcome::Done);
    let local = storage(&life, "local").await.unwrap();
    assert!(local.disabled && local.content.contains("images"), "{local:?}");
    life.machine.clear_log();
    assert_eq!(life.apply(&disabled).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_folder_is_no_storage_while_nothing_is_mounted() {
    let mut life = node().await;
    assert!(life.machine.by_hand("umount", &["/data/pve-files"]).ok());
    let shown = life.preview(&usual()).await;
    assert!(shown.iter().any(|step| step.after == "DatasetsExist"));
    assert!(shown.iter().all(|step| step.ops.is_empty()));
    assert!(matches!(life.apply(&usual()).await, Outcome::Failed { .. }));
    assert_eq!(
        life.changes().iter().filter(|what| what.starts_with("pvesm")).count(),
        0
    );
}

#[tokio::test]
async fn a_storage_that_cannot_be_used_is_named() {
    let mut life = node().await;
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    let nothing = Output {
        stdout: "[]\n".to_owned(),
        ..Output::default()
    };
    for _ in 0..12 {
        life.machine
            .fail_next("pvesh get /nodes/localhost/storage", Fault::Answers(nothing.clone()));
    }
    let Outcome::Failed { step, reason } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert_eq!(step, "StoragesActive");
    assert!(
        reason.contains("local-nvme, files, local; on the node: pvesm status"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_error_of_pvesm_is_shown_as_it_is() {
    let mut life = node().await;
    let error = "create storage failed: cfs-lock 'file-storage_cfg' error: no quorum!\n";
    life.machine.fail_next("pvesm add", Fault::complains(13, error));
    let Outcome::Failed { reason, .. } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert!(reason.contains(error.trim_end()), "{reason}");
    let silent = Output {
        stderr: error.to_owned(),
        ..Output::default()
    };
    life.machine.fail_next("pvesm add", Fault::Answers(silent));
    let Outcome::Failed { reason, .. } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert!(
        reason.contains("still missing: pvesm add zfspool local-nvme"),
        "{reason}"
    );
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(storages(&life).await, DONE);
}
