use heeler_host::sim::Fault;
use heeler_proto::{KeepScrubs, PoolName, ScrubEvery};
use heeler_tasks::engine::Scrub;

use super::*;

#[tokio::test]
async fn an_interrupted_snapshot_round_is_continued() {
    for loss in [Loss::Power, Loss::Agent, Loss::AgentAndItsWork] {
        for point in 0.. {
            let mut bench = Bench::new().await;
            bench.live(12 * HOUR).await;
            bench.machine.pass(HOUR);
            let before = bench.names(FILES).await;
            let cut = bench.cut_off(point, loss).await;
            bench.machine.pass(Duration::from_secs(1));
            let turn = bench.turn().await;
            assert_eq!(problems(&runs(turn.events)), "", "{loss:?} at {point}");
            let after = bench.names(FILES).await;
            let new: Vec<_> = after.iter().filter(|name| !before.contains(name)).collect();
            assert_eq!(new.len(), 1, "{loss:?} at {point}: one is taken, once: {after:?}");
            assert_eq!(
                bench.names(MORE).await,
                after,
                "{loss:?} at {point}: both datasets, at one moment"
            );
            let left = bench.snapshots(FILES).await;
            let hourly = left
                .iter()
                .filter(|one| one.mark.as_deref().unwrap().contains("hourly"))
                .count();
            assert!(hourly >= 6, "{loss:?} at {point}: {after:?}");
            if !cut {
                assert!(point > 10, "there was something to cut off");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_suspended_pool_delays_nothing_and_is_reported_once() {
    let mut bench = Bench::new().await;
    bench.turn().await;
    for serial in ["A", "B"] {
        bench.machine.pull_disk(serial);
    }
    let runs = bench.live(5 * HOUR).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(problems(&runs).contains("suspended"), "{runs:?}");
    for serial in ["A", "B"] {
        bench.machine.insert_disk(serial);
    }
    let runs = bench.live(HOUR).await;
    assert!(runs.iter().any(|run| run.taken.len() == 2), "{runs:?}");
}

#[tokio::test]
async fn a_full_pool_is_reported_and_still_pruned() {
    let mut bench = Bench::new().await;
    bench.live(8 * HOUR).await;
    bench.machine.set_pool_full("data", true);
    let runs = bench.live(3 * HOUR).await;
    assert!(problems(&runs).contains("out of space"), "{runs:?}");
    assert!(runs.iter().all(|run| run.taken.is_empty()));
    let (state, now_s) = (bench.turn().await.state, bench.machine.now_ms() / 1000);
    let due_s = state.datasets[0].due_s.unwrap();
    assert!(
        (now_s - 3 * 3600..now_s - 2 * 3600).contains(&due_s),
        "{due_s} at {now_s}: since when, not now"
    );
    assert!(state.problems[0].contains("out of space"), "{state:?}");
    assert!(bench.names(FILES).await.len() >= 6, "the count is kept, however old");
    bench.machine.set_pool_full("data", false);
    let runs = bench.live(HOUR).await;
    assert!(runs.iter().any(|run| run.taken.len() == 2), "{runs:?}");
    assert_eq!(bench.turn().await.state.problems, [""; 0]);
}

#[tokio::test]
async fn a_failed_snapshot_stops_no_other_dataset() {
    let mut bench = Bench::new().await;
    bench.turn().await;
    bench.machine.pass(HOUR);
    let refused = || Fault::complains(1, "cannot create snapshot 'data/more@x': out of space\n");
    // The command for both datasets and the one for this dataset alone begin in the same way.
    for _ in 0..2 {
        bench
            .machine
            .fail_next("zfs snapshot -o heeler:class=hourly data/more", refused());
    }
    let runs = runs(bench.turn().await.events);
    assert!(
        matches!(runs[0].taken.as_slice(), [one] if one.starts_with(FILES)),
        "{runs:?}"
    );
    let said = problems(&runs);
    assert!(said.starts_with("could not take a snapshot of data/more: "), "{said}");
    assert!(!said.contains(FILES), "{said}");
}

#[tokio::test]
async fn a_degraded_pool_is_snapshotted_and_not_pruned() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    bench.machine.pull_disk("B");
    let runs = bench.live(12 * HOUR).await;
    assert!(runs.iter().all(|run| run.pruned == 0) && runs.iter().any(|run| !run.taken.is_empty()));
    assert!(problems(&runs).contains("not ONLINE"), "{}", problems(&runs));
}

#[tokio::test]
async fn a_missing_dataset_pool_or_schedule_is_reported() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    let before = bench.names(FILES).await;
    bench
        .machine
        .put_file(schedule::SNAPSHOTS, b"heeler snapshots 1\ndata/pve-files  24 hou")
        .unwrap();
    let runs = bench.live(3 * HOUR).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(problems(&runs).contains("heeler apply writes it again"), "{runs:?}");
    assert_eq!(bench.names(FILES).await, before);
    bench.machine.by_hand("zpool", &["export", "data"]);
    let policy = b"heeler snapshots 1\ndata/pve-files  24 hourly\n";
    bench.machine.put_file(schedule::SNAPSHOTS, policy).unwrap();
    let runs = bench.live(HOUR).await;
    assert!(problems(&runs).contains("not imported"), "{runs:?}");
}

#[tokio::test]
async fn another_pool_of_the_same_name_is_left_alone() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    let text = String::from_utf8(bench.machine.file(schedule::SNAPSHOTS).unwrap()).unwrap();
    let other = text.replace("  guid ", "  guid 1");
    bench.machine.put_file(schedule::SNAPSHOTS, other.as_bytes()).unwrap();
    let before = bench.names(FILES).await;
    let runs = bench.live(DAY).await;
    assert_eq!(bench.names(FILES).await, before);
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(problems(&runs).contains("is not the pool"), "{runs:?}");
    assert!(bench.turn().await.state.problems[0].contains("is not the pool"));
}

#[tokio::test]
async fn a_schedule_without_pool_guid_prunes_nothing() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    let earlier = b"heeler snapshots 1\ndata/pve-files  1 hourly\n";
    bench.machine.put_file(schedule::SNAPSHOTS, earlier).unwrap();
    let before = bench.names(FILES).await;
    let runs = bench.live(DAY).await;
    let after = bench.names(FILES).await;
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
    assert!(after.len() >= before.len() + 23, "{after:?}");
    assert!(problems(&runs).contains("heeler apply writes it again"), "{runs:?}");
}

#[tokio::test]
async fn a_removed_policy_prunes_nothing() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    let before = bench.names(MORE).await;
    bench.schedule("data/pve-files  1 hourly\n");
    bench.live(DAY).await;
    assert_eq!(bench.names(MORE).await, before);
    assert!(bench.names(FILES).await.len() < 4);
}

#[tokio::test]
async fn unexpected_victims_stop_the_batch() {
    let stray = "destroy\tdata/more\nreclaim\t0\n";
    let by_hand = "destroy\tdata/more@by-hand\nreclaim\t0\n";
    let fewer = "reclaim\t0\n";
    for (would, said) in [
        (stray, "it would destroy data/more, which is not meant"),
        (by_hand, "it would destroy data/more@by-hand, which is not meant"),
        (fewer, "it would not destroy data/more@heeler_"),
    ] {
        let mut bench = Bench::new().await;
        bench.live(12 * HOUR).await;
        bench.machine.pass(HOUR);
        let before = bench.names(MORE).await;
        bench.machine.clear_log();
        let answer = heeler_host::Output {
            code: 0,
            stdout: would.to_owned(),
            stderr: String::new(),
        };
        bench.machine.fail_next("zfs destroy -nvp", Fault::Answers(answer));
        let runs = runs(bench.turn().await.events);
        assert!(problems(&runs).contains(said), "{runs:?}");
        let log = bench.machine.log();
        let destroys = |what: &str| log.iter().filter(|entry| entry.what.starts_with(what)).count();
        assert_eq!(destroys("zfs destroy -nvp data/more@"), 1, "it was rehearsed");
        assert_eq!(destroys("zfs destroy data/more"), 0, "and not done");
        assert_eq!(destroys("zfs destroy data/pve-files@"), 1, "the other's was");
        let after = bench.names(MORE).await;
        assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
    }
}

#[tokio::test]
async fn a_late_hold_stops_pruning_of_its_batch() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    bench.machine.pass(HOUR);
    let held = Fault::complains(1, "cannot destroy snapshot data/more@x: it's being held.\n");
    bench.machine.fail_next("zfs destroy data/more", held);
    let before = bench.names(MORE).await;
    let runs = runs(bench.turn().await.events);
    assert!(problems(&runs).contains("being held"), "{runs:?}");
    assert!(
        runs.iter()
            .all(|run| run.pruned_names.iter().all(|name| !name.starts_with(MORE)))
    );
    let after = bench.names(MORE).await;
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
}

#[tokio::test]
async fn a_scrub_never_starts_on_a_degraded_pool() {
    let mut bench = Bench::new().await;
    let pool = PoolName::new("data").unwrap();
    // It is Sunday, 1 March 2026, 12:00.
    let (every, day, hour) = (ScrubEvery::Month, 3, 2);
    let wanted = KeepScrubs { pool, every, day, hour };
    bench.machine.write(&schedule::scrubs_file(&wanted)).await.unwrap();
    let mut told = Vec::new();
    let mut percents = Vec::new();
    let scrub = |event: &Event| match event {
        Event::Scrub { what, .. } => Some(*what),
        _ => None,
    };
    for _ in 0..600 {
        let turn = bench.turn().await;
        told.extend(turn.events.iter().filter_map(scrub));
        percents.extend(turn.progress.map(|_| turn.state.scrub_percent));
        bench.machine.pass(turn.wake);
    }
    assert_eq!(told, [Scrub::Started, Scrub::Finished]);
    assert!(percents.len() > 5 && percents.is_sorted(), "{percents:?}");
    assert!(bench.turn().await.state.last_scrub_s > 0);

    bench.machine.pull_disk("B");
    bench.machine.pass(31 * DAY);
    let mut told = Vec::new();
    for _ in 0..300 {
        let turn = bench.turn().await;
        told.extend(turn.events.iter().filter_map(scrub));
        bench.machine.pass(turn.wake);
    }
    assert!(told.iter().all(|what| *what == Scrub::PutOff), "{told:?}");
}

#[tokio::test]
async fn an_endless_listing_stops_no_snapshot() {
    let mut bench = Bench::new().await;
    bench.live(3 * HOUR).await;
    let before = bench.names(MORE).await;
    let list = "zfs list -Hp -t snapshot -d 1 -s createtxg -o name,guid,createtxg,creation,used,userrefs,clones";
    for _ in 0..1000 {
        bench.machine.fail_next(&format!("{list} {MORE}"), Fault::TimesOut);
    }
    let runs = bench.live(5 * HOUR).await;
    let taken = |of: &str, class: &str| {
        let taken = runs.iter().flat_map(|run| &run.taken);
        let of = format!("{of}@");
        taken.filter(|one| one.starts_with(&of) && one.ends_with(class)).count()
    };
    assert!((5..=6).contains(&taken(MORE, "_hourly")), "{runs:?}");
    assert_eq!(taken(MORE, "_daily"), 1, "{runs:?}");
    assert!((4..=6).contains(&taken(FILES, "_hourly")), "{runs:?}");
    assert!(problems(&runs).contains("data/more could not be looked at, and is not pruned"));
    assert!(!problems(&runs).contains("could not take"), "{}", problems(&runs));
    bench.machine.clear_faults();
    let after = bench.names(MORE).await;
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
}
