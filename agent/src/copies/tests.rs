use std::path::Path;

use heeler_host::System as _;
use heeler_host::sim::Machine;
use ring::digest::digest;

use super::*;

const FOLDER_THERE: &str = "/data/pve-files/.heeler/copies";

/// A machine with a mounted pool of Heeler's.
fn machine() -> Machine {
    let machine = Machine::builder("a").blank("A").blank("B").build();
    make_pool(&machine, "heeler:k8sctl/a");
    machine
}

fn make_pool(machine: &Machine, comment: &str) {
    let comment = format!("comment={comment}");
    let disks = ["A", "B"].map(|serial| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}"));
    let create = [
        "create",
        "-o",
        &comment,
        "-O",
        "mountpoint=none",
        "data",
        "mirror",
        &disks[0],
        &disks[1],
    ];
    for (program, args) in [
        ("modprobe", &["zfs"][..]),
        ("zpool", &create[..]),
        ("zfs", &["create", "-o", "mountpoint=/data/pve-files", "data/pve-files"]),
    ] {
        let done = machine.by_hand(program, args);
        assert_eq!(done.code, 0, "{program}: {}", done.stderr);
    }
}

fn chunks(at_ms: u64, content: &[u8], size: usize) -> Vec<CopyChunk> {
    let sha256 = digest(&SHA256, content).as_ref().to_vec();
    let chunk = |(index, data): (usize, &[u8])| CopyChunk {
        name: format!("coordinator-{at_ms}.age"),
        at_ms,
        offset: (index * size) as u64,
        total_bytes: content.len() as u64,
        sha256: sha256.clone(),
        data: data.to_vec(),
    };
    content.chunks(size).enumerate().map(chunk).collect()
}

async fn send(copies: &Copies, machine: &Machine, chunks: Vec<CopyChunk>) -> Result<CopyStored, String> {
    let mut last = CopyStored::default();
    for chunk in chunks {
        last = copies.take(machine, chunk).await?;
    }
    Ok(last)
}

async fn names(machine: &Machine) -> Vec<String> {
    machine.list(Path::new(FOLDER_THERE)).await.unwrap_or_default()
}

#[tokio::test]
async fn a_copy_counts_only_with_its_receipt() {
    let (machine, copies) = (machine(), Copies::default());
    let parts = chunks(1000, b"an encrypted copy", 4);
    let first = send(&copies, &machine, parts[..2].to_vec()).await.unwrap();
    assert_eq!((first.bytes, first.done), (8, false));
    assert_eq!(names(&machine).await, ["coordinator-1000.age"], "no receipt yet");
    let whole = send(&copies, &machine, parts[2..].to_vec()).await.unwrap();
    assert!(whole.done, "{whole:?}");
    let file = format!("{FOLDER_THERE}/coordinator-1000.age");
    assert_eq!(machine.file(&file).unwrap(), b"an encrypted copy");
    assert_eq!(machine.mode(Path::new(&file)).await.unwrap() & 0o777, 0o600);
}

#[tokio::test]
async fn the_newest_three_copies_stay_and_incomplete_ones_go() {
    let (machine, copies) = (machine(), Copies::default());
    let torn = chunks(500, b"torn off in the middle", 4)[..2].to_vec();
    send(&copies, &machine, torn).await.unwrap();
    machine
        .put_file(&format!("{FOLDER_THERE}/somebody-elses"), b"x")
        .unwrap();
    for at in 1..=5 {
        assert!(
            send(&copies, &machine, chunks(at * 1000, b"copy", 4))
                .await
                .unwrap()
                .done
        );
    }
    let mut wanted = Vec::new();
    for at in [3000, 4000, 5000] {
        wanted.extend([format!("coordinator-{at}.age"), format!("coordinator-{at}.age.json")]);
    }
    wanted.push("somebody-elses".into());
    assert_eq!(names(&machine).await, wanted);
}

#[tokio::test]
async fn a_new_copy_stays_after_a_wrong_clock() {
    let (machine, copies) = (machine(), Copies::default());
    for at in [9000, 9001, 9002, 1000, 1001] {
        assert!(send(&copies, &machine, chunks(at, b"copy", 4)).await.unwrap().done);
        let there = names(&machine).await;
        assert!(there.contains(&format!("coordinator-{at}.age.json")), "{at}: {there:?}");
    }
    assert_eq!(
        names(&machine).await.len(),
        2 * 4,
        "and no more than one besides the newest three"
    );
}

#[tokio::test]
async fn a_suspended_pool_delays_only_its_own_copy() {
    let (machine, copies) = (machine(), Copies::default());
    let parts = chunks(1000, b"an encrypted copy", 4);
    assert!(send(&copies, &machine, parts[..1].to_vec()).await.is_ok());
    for serial in ["A", "B"] {
        machine.pull_disk(serial);
    }
    machine.by_hand("zpool", &["status", "-j", "--json-int", "-p", "-P"]);
    let (next, first) = (copies.take(&machine, parts[1].clone()), async {
        // Meanwhile a chunk arrives of a copy that starts again.
        tokio::task::yield_now().await;
        copies.take(&machine, parts[0].clone()).await
    });
    let answered = tokio::select! {
        biased;
        answer = next => answer,
        answer = first => answer,
    };
    assert!(answered.is_err(), "{answered:?}");
    for serial in ["A", "B"] {
        machine.insert_disk(serial);
    }
    assert!(send(&copies, &machine, parts).await.unwrap().done);
}

#[tokio::test]
async fn nothing_is_written_below_a_mountpoint_that_is_not_mounted() {
    let (machine, copies) = (machine(), Copies::default());
    let parts = chunks(1000, b"an encrypted copy", 4);
    assert!(send(&copies, &machine, parts[..1].to_vec()).await.is_ok());
    assert_eq!(machine.by_hand("zpool", &["export", "data"]).code, 0);
    let refused = send(&copies, &machine, parts[1..2].to_vec()).await.unwrap_err();
    assert!(refused.contains("not mounted"), "{refused:?}");
    let refused = send(&copies, &machine, parts).await.unwrap_err();
    assert!(refused.contains("no dataset"), "{refused:?}");
    assert!(names(&machine).await.is_empty(), "something is on the card");
}

#[tokio::test]
async fn a_foreign_pool_gets_no_copy() {
    let machine = Machine::builder("a").blank("A").blank("B").build();
    make_pool(&machine, "somebody else's");
    let refused = send(&Copies::default(), &machine, chunks(1, b"copy", 4))
        .await
        .unwrap_err();
    assert!(refused.contains("no dataset"), "{refused:?}");
}

#[tokio::test]
async fn a_copy_with_a_wrong_checksum_is_dropped() {
    let (machine, copies) = (machine(), Copies::default());
    let mut parts = chunks(1000, b"an encrypted copy", 4);
    parts[1].data[0] ^= 1;
    let refused = send(&copies, &machine, parts.clone()).await.unwrap_err();
    assert!(refused.contains("did not arrive"), "{refused:?}");
    assert!(names(&machine).await.is_empty());
    let skipped = send(&copies, &machine, vec![parts[0].clone(), parts[2].clone()])
        .await
        .unwrap_err();
    assert!(skipped.contains("does not follow"), "{skipped:?}");
    for name in [
        "../../etc/passwd",
        "coordinator-1.age/x",
        "coordinator-.age",
        "coordinator--1.age",
    ] {
        let mut named = chunks(1, b"copy", 4);
        named[0].name = name.into();
        let refused = send(&copies, &machine, named).await.unwrap_err();
        assert!(refused.contains("not the name of a copy"), "{refused:?}");
    }
    let mut large = chunks(1, b"copy", 4);
    large[0].total_bytes = LARGEST + 1;
    assert!(send(&copies, &machine, large).await.unwrap_err().contains("more than"));
}

#[tokio::test]
async fn no_link_below_the_dataset_is_followed() {
    for (link, target) in [("/data/pve-files/.heeler", "/etc/heeler"), (FOLDER_THERE, "/etc")] {
        let (machine, copies) = (machine(), Copies::default());
        machine.put_link(link, target).unwrap();
        let refused = send(&copies, &machine, chunks(1000, b"copy", 4)).await.unwrap_err();
        assert!(refused.contains("is a link"), "{refused}");
        for folder in [target, FOLDER_THERE] {
            assert_eq!(machine.file(&format!("{folder}/coordinator-1000.age")), None);
        }
    }
    // A link with the file's own name is removed, and the copy is written in its place.
    let (machine, copies) = (machine(), Copies::default());
    let file = format!("{FOLDER_THERE}/coordinator-1000.age");
    machine.put_file("/data/pve-files/mine", b"mine").unwrap();
    machine.put_link(&file, "/mine").unwrap();
    assert!(send(&copies, &machine, chunks(1000, b"copy", 4)).await.unwrap().done);
    assert_eq!(machine.file(&file).unwrap(), b"copy");
    assert_eq!(machine.file("/data/pve-files/mine").unwrap(), b"mine");
}
