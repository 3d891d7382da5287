//! What a restore does to the folder that it replaces.

use std::fs;

use heeler_store::Store;

use super::super::place;
use super::*;

#[tokio::test]
async fn an_interrupted_restore_keeps_the_old_state() {
    for point in [
        "unpacking",
        "unpacked",
        "put aside",
        "put aside, unpacked anew",
        "in its place",
    ] {
        let bench = Bench::new().await;
        bench.packed().await;
        let (place, new, aside) = (
            bench.at("state"),
            bench.at("state.restoring"),
            bench.at("state.before-1"),
        );
        let before = tree(&place);
        match point {
            "unpacking" => {
                fs::create_dir(&new).unwrap();
                fs::write(new.join("heeler.db"), b"SQLite format 3").unwrap();
            }
            "unpacked" | "put aside" | "in its place" => {
                bench.restored("elsewhere", false, NOW).await.unwrap();
                fs::rename(bench.at("elsewhere"), &new).unwrap();
            }
            _ => {}
        }
        if point.starts_with("put aside") || point == "in its place" {
            fs::rename(&place, &aside).unwrap();
        }
        if point == "in its place" {
            fs::rename(&new, &place).unwrap();
        }
        let old = if aside.exists() { &aside } else { &place };
        assert_eq!(tree(old), before, "{point}");
        let restored = bench.restored("state", true, NOW + 60_000).await.unwrap();
        assert!(!new.exists(), "{point}");
        let old = if aside.exists() { aside } else { restored.aside.unwrap() };
        assert_eq!(tree(&old), before, "{point}");
        let store = Store::open(&bench.state("state").database()).await.unwrap();
        let mut tx = store.read().await.unwrap();
        assert_eq!(
            tx.meta("epoch").await.unwrap(),
            Some(restored.epoch.to_string()),
            "{point}"
        );
    }
}

#[tokio::test]
async fn a_foreign_folder_is_moved_aside_complete() {
    let bench = Bench::new().await;
    bench.packed().await;
    fs::create_dir(bench.at("home")).unwrap();
    fs::write(bench.at("home/letters"), b"precious").unwrap();
    let restored = bench.restored("home", false, NOW).await.unwrap();
    let aside = restored.aside.unwrap();
    assert_eq!(fs::read(aside.join("letters")).unwrap(), b"precious");
    fs::create_dir(bench.at("empty")).unwrap();
    assert_eq!(bench.restored("empty", false, NOW).await.unwrap().aside, None);
}

#[tokio::test]
async fn every_restore_begins_a_later_epoch() {
    let bench = Bench::new().await;
    bench.packed().await;
    let first = bench.restored("one", false, NOW - 5_000_000).await.unwrap();
    assert!(first.epoch > first.manifest.epoch);
    let second = bench.restored("two", false, NOW + 2_000).await.unwrap();
    assert!(second.epoch > first.epoch);
}

#[tokio::test]
async fn a_restore_over_a_coordinator_needs_replace() {
    let bench = Bench::new().await;
    bench.packed().await;
    let ca = fs::read(bench.at("state/ca/key.pem")).unwrap();
    assert!(matches!(
        bench.restored("state", false, NOW).await,
        Err(BackupError::Occupied(_))
    ));
    {
        let _running = bench.state("state").lock().unwrap();
        assert!(matches!(
            bench.restored("state", true, NOW).await,
            Err(BackupError::Lock(_))
        ));
    }
    let restored = bench.restored("state", true, NOW + 1000).await.unwrap();
    assert_eq!(fs::read(restored.aside.unwrap().join("ca/key.pem")).unwrap(), ca);
    assert_eq!(fs::read(bench.at("state/ca/key.pem")).unwrap(), ca);
}

#[tokio::test]
async fn two_restores_in_a_second_keep_both_folders() {
    let bench = Bench::new().await;
    bench.packed().await;
    let first = bench.restored("state", true, NOW).await.unwrap();
    let second = bench.restored("state", true, NOW).await.unwrap();
    assert!(second.epoch > first.epoch);
    let (first, second) = (first.aside.unwrap(), second.aside.unwrap());
    assert!(first != second && first.join("heeler.db").exists() && second.join("heeler.db").exists());
}

#[tokio::test]
async fn a_second_restore_at_once_is_refused() {
    let bench = Bench::new().await;
    bench.packed().await;
    for (place, replace) in [("state", true), ("new", false)] {
        let first = place::Filling::beside(&bench.at(place)).unwrap();
        fs::write(first.path().join("heeler.db"), b"on its way").unwrap();
        let second = bench.restored(place, replace, NOW).await;
        assert!(matches!(second, Err(BackupError::Restoring(_))), "{second:?}");
        assert_eq!(fs::read(first.path().join("heeler.db")).unwrap(), b"on its way");
    }
    {
        let _first = (
            place::Filling::beside(&bench.at("state")).unwrap(),
            bench.state("state").lock(),
        );
        let second = bench.restored("state", true, NOW).await;
        assert!(matches!(second, Err(BackupError::Restoring(_))), "{second:?}");
    }
    bench.restored("state", true, NOW).await.unwrap();
}

#[tokio::test]
async fn a_refused_restore_leaves_no_files() {
    let bench = Bench::new().await;
    bench.packed().await;
    #[cfg(target_os = "linux")]
    {
        // /proc cannot be renamed, not even by root.
        let refused = bench.restored("/proc", false, NOW).await.unwrap_err();
        assert!(matches!(&refused, BackupError::MountPoint(_)), "{refused:?}");
        let told = refused.to_string();
        assert!(told.contains("--state /proc/state"), "{told}");
    }
    fs::write(bench.at("backup.age"), b"no backup").unwrap();
    fs::create_dir(bench.at("home")).unwrap();
    let before = tree_and_locks(bench.folder.path());
    for place in ["home", "deep/er/state"] {
        let refused = bench.restored(place, false, NOW).await;
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "{refused:?}");
    }
    assert_eq!(tree_and_locks(bench.folder.path()), before);
    assert!(!bench.at("deep").exists());
    let denied = place::refused("put aside", &bench.at("home"))(std::io::ErrorKind::PermissionDenied.into());
    assert!(denied.to_string().contains("sudo"), "{denied}");
}

#[tokio::test]
async fn a_linked_state_folder_stays_a_link() {
    let bench = Bench::new().await;
    bench.packed().await;
    fs::create_dir(bench.at("disk")).unwrap();
    fs::rename(bench.at("state"), bench.at("disk/state")).unwrap();
    std::os::unix::fs::symlink(bench.at("disk/state"), bench.at("state")).unwrap();
    let restored = bench.restored("state", true, NOW).await.unwrap();
    assert!(bench.at("state").is_symlink() && bench.at("state/heeler.db").exists());
    assert!(
        restored
            .aside
            .unwrap()
            .starts_with(bench.at("disk").canonicalize().unwrap())
    );
}
