//! EraseDisk saves the disk's labels and ends first, and never erases a disk that is in use.

use heeler_host::System as _;
use heeler_host::disk::inventory;
use heeler_host::sim::{Content, DiskSpec, Machine};
use heeler_proto::{EraseDisk, LiveSerial, NodeName, PoolGuid, Serial, Task};
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, Life, blocked, erase, pi};

const KEPT: &str = "/var/lib/heeler-agent/erased";

fn holding(content: Content) -> Life {
    Life::of(pi().blank(A).disk(DiskSpec::holding(B, content)).build())
}

async fn kept(machine: &Machine) -> Vec<String> {
    machine.list(KEPT.as_ref()).await.unwrap_or_default()
}

#[tokio::test]
async fn an_erasure_saves_both_ends_of_the_disk() {
    for content in [
        Content::Ext4("backup"),
        Content::EmptyGpt,
        Content::PartitionWithExt4("home"),
        Content::Lvm,
        Content::RandomFront,
        Content::DataInTheMiddle,
    ] {
        let mut life = holding(content.clone());
        let disks = inventory(&life.machine).await.unwrap().disks;
        let path = disks.iter().find(|disk| disk.serial == B).unwrap().by_id.clone();
        let front = life.machine.read_device(path.as_ref(), 0, 4 << 20).await.unwrap();
        assert_eq!(life.apply(&erase(B)).await, Outcome::Done, "{content:?}");
        assert!(life.machine.is_blank(B), "{content:?}");
        let folders = kept(&life.machine).await;
        assert_eq!(folders.len(), 1, "{folders:?}");
        let saved = life.machine.file(&format!("{KEPT}/{}/front.bin", folders[0])).unwrap();
        assert!(saved == front, "{content:?}");
        let mode = life
            .machine
            .mode(format!("{KEPT}/{}/front.bin", folders[0]).as_ref())
            .await
            .unwrap();
        assert_eq!(mode, 0o600);
        let manifest = life
            .machine
            .file(&format!("{KEPT}/{}/manifest.json", folders[0]))
            .unwrap();
        assert!(String::from_utf8(manifest).unwrap().contains(B));

        life.machine.clear_log();
        assert_eq!(life.apply(&erase(B)).await, Outcome::Done);
        assert_eq!(life.changes(), [""; 0], "a blank disk is not erased again");
    }
}

#[tokio::test]
async fn nothing_is_erased_without_consent() {
    let mut life = holding(Content::Ext4("backup"));
    let before = life.machine.hash_disk(B);
    for _ in 0..2 {
        let id = life.next_task();
        let (found, ..) = blocked(life.carry_out(&id, &erase(B), &[]).await);
        assert!(found.contains("no consent"), "{found}");
    }
    assert_eq!(life.machine.hash_disk(B), before);
    assert_eq!(kept(&life.machine).await.len(), 1);
}

/// Refused whatever the consent, and before a consent is asked for.
async fn refused(life: &mut Life, task: &Task, serial: &str, words: &str) {
    let before = life.machine.hash_disk(serial);
    life.machine.clear_log();
    assert!(life.acts(task).await.is_empty(), "nobody is asked");
    let (found, why, next) = blocked(life.apply(task).await);
    let said = format!("{found}\n{why}\n{next}");
    assert!(said.contains(words), "{words:?} is not in:\n{said}");
    assert_eq!(life.machine.hash_disk(serial), before);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_serial_on_record_as_live_is_never_erased() {
    let mut life = holding(Content::Ext4("backup"));
    let serial = Serial::new(B).unwrap();
    let live = LiveSerial {
        serial: serial.clone(),
        guid: PoolGuid(7),
        node: NodeName::new("pi5r").unwrap(),
    };
    let task = Task::EraseDisk(EraseDisk {
        serial,
        live: vec![live],
    });
    refused(&mut life, &task, B, "on record as holding pool 7 of pi5r").await;
}

#[tokio::test]
async fn a_disk_that_something_uses_is_never_erased() {
    let mut life = Life::with_pool().await;
    refused(&mut life, &erase(A), A, "a leg of a pool that is in use").await;
    for (content, words) in [
        (Content::Root, "this node runs from it"),
        (Content::SwapInUse, "this node runs from it"),
        (Content::MountedExt4("srv", "/srv/media"), "/srv/media"),
        (Content::LvmInUse, "a disk in use"),
        (Content::LvmInUse, "dmsetup remove /dev/"),
    ] {
        refused(&mut holding(content), &erase(B), B, words).await;
    }
}

#[tokio::test]
async fn a_serial_that_names_no_disk_or_two_erases_none() {
    let mut life = holding(Content::Ext4("backup"));
    refused(&mut life, &erase("S6XNNS0W1OOOO2"), B, "letter O for zero?").await;
    let twins = pi()
        .disk(DiskSpec::holding(B, Content::Lvm))
        .disk(DiskSpec::holding(B, Content::Lvm));
    refused(&mut Life::of(twins.build()), &erase(B), B, "2 disks say").await;
}

#[tokio::test]
async fn a_consent_to_erase_one_content_does_not_erase_another() {
    let mut life = holding(Content::Ext4("old"));
    let id = life.next_task();
    let acts = life.acts(&erase(B)).await;
    let consent = life.consent(&id, &acts[0]);
    life.machine
        .swap_disk(B, &DiskSpec::holding(B, Content::Ext4("precious")));
    let before = life.machine.hash_disk(B);
    let (found, ..) = blocked(life.carry_out(&id, &erase(B), &[consent]).await);
    assert!(found.contains("a different change"), "{found}");
    assert_eq!(life.machine.hash_disk(B), before);
}
