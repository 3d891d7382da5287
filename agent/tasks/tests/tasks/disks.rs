//! Every unsuitable disk is refused with what was found, and none of its bytes changes.

use heeler_host::sim::{Content, DiskSpec, Machine};
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, Life, blocked, ensure, pi, spec};

/// Expects a refusal with these words, and no change.
async fn refused(machine: Machine, words: &[&str]) {
    let mut life = Life::of(machine);
    let before = (life.machine.hash_disk(A), life.machine.hash_disk(B));
    let (found, why, next) = blocked(life.apply(&ensure(spec())).await);
    let said = format!("{found}\n{why}\n{next}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
    assert_eq!(before, (life.machine.hash_disk(A), life.machine.hash_disk(B)), "{said}");
}

fn holding(content: Content) -> Machine {
    pi().blank(A).disk(DiskSpec::holding(B, content)).build()
}

#[tokio::test]
async fn a_disk_with_content_is_refused() {
    let erase = format!("heeler disk erase {B}");
    refused(
        holding(Content::Ext4("backup")),
        &[B, "ext4 file system \"backup\"", &erase],
    )
    .await;
    refused(holding(Content::EmptyGpt), &["empty GPT partition table", &erase]).await;
    refused(
        holding(Content::PartitionWithExt4("home")),
        &["GPT partition table with 1 partition", &erase],
    )
    .await;
    refused(
        holding(Content::BarePartition),
        &["GPT partition table with 1 partition"],
    )
    .await;
    refused(holding(Content::Lvm), &["LVM physical volume", &erase]).await;
    refused(holding(Content::LvmInUse), &[B, "heeler disk"]).await;
    refused(holding(Content::RandomFront), &["unknown data at byte 0", &erase]).await;
    refused(holding(Content::DataInTheMiddle), &["unknown data at byte ", &erase]).await;
    refused(
        holding(Content::MountedExt4("srv", "/srv/media")),
        &["mounted at /srv/media"],
    )
    .await;
    refused(holding(Content::Swap), &["swap space", &erase]).await;
    refused(holding(Content::SwapInUse), &["swap", "heeler disk list"]).await;
}

#[tokio::test]
async fn the_disk_that_holds_root_is_refused() {
    refused(holding(Content::Root), &["in use by the system: /", "heeler disk list"]).await;
}

#[tokio::test]
async fn a_disk_smaller_than_its_mirror_is_refused() {
    let small = DiskSpec::blank(B).size(64_000_000_000);
    refused(pi().blank(A).disk(small).build(), &[B, "smaller than its mirror"]).await;
}

#[tokio::test]
async fn a_missing_disk_lists_the_free_ones() {
    let machine = pi().blank(A).blank("S6XNNSOW100002").build();
    refused(
        machine,
        &[
            &format!("{B} is not in this node (letter O for zero?)"),
            "Free: S6XNNSOW100002",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_serial_that_two_disks_have_names_none() {
    refused(
        pi().blank(A).blank(B).blank(B).build(),
        &["2 disks say that their serial is S6XNNS0W100002"],
    )
    .await;
}

/// A pool that another node created on both disks and left as `leave` says.
async fn of_another(leave: &str) -> Machine {
    let machine = pi().blank(A).blank(B).build();
    let mut theirs = Life::of(machine.clone());
    let mut other = spec();
    other.comment = "heeler:k8sctl/pi5r".to_owned();
    assert_eq!(theirs.apply(&ensure(other)).await, Outcome::Done);
    let command = heeler_host::Command::change("zpool").args([leave, "data"]);
    assert!(heeler_host::System::run(&machine, &command).await.unwrap().ok());
    machine
}

#[tokio::test]
async fn a_label_of_an_exported_or_destroyed_pool_is_refused() {
    let erase = format!("heeler disk erase {A}");
    refused(
        of_another("export").await,
        &["comment \"heeler:k8sctl/pi5r\"", A, &erase],
    )
    .await;
    refused(of_another("destroy").await, &["destroyed pool data", A, &erase]).await;
}

#[tokio::test]
async fn one_leg_of_a_foreign_pool_is_refused() {
    let machine = of_another("export").await;
    machine.pull_disk(B);
    machine.boot();
    let mut life = Life::of(machine);
    let before = life.machine.hash_disk(A);
    let (found, ..) = blocked(life.apply(&ensure(spec())).await);
    assert!(found.contains(A), "{found}");
    assert_eq!(before, life.machine.hash_disk(A));
}
