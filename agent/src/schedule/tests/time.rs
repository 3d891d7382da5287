use heeler_proto::{KeepScrubs, PoolName, ScrubEvery};

use super::*;
use crate::schedule::{Seen, seen};
use heeler_tasks::engine::Scrub;

#[tokio::test]
async fn seven_days_without_coordinator_keep_the_schedule() {
    let mut bench = Bench::new().await;
    let runs = bench.live(7 * DAY).await;
    assert_eq!(problems(&runs), "");
    // One at the start of each hour, of both datasets at once.
    let taken: Vec<&String> = runs.iter().flat_map(|run| &run.taken).collect();
    assert_eq!(taken.len(), 2 * 7 * 24);
    let hours: std::collections::BTreeSet<&str> = taken
        .iter()
        .map(|name| &name.split('@').nth(1).unwrap()[..18])
        .collect();
    assert_eq!(hours.len(), 7 * 24);
    // The last six of an hour and the last three of a day, whatever their hours.
    for dataset in [FILES, MORE] {
        let left = bench.snapshots(dataset).await;
        let with = |word: &str| {
            left.iter()
                .filter(|one| one.mark.as_deref().unwrap().contains(word))
                .count()
        };
        assert!(with("hourly") >= 6 && with("daily") >= 3, "{left:?}");
        assert!(left.len() <= 11, "{}", left.len());
    }
    let pruned: usize = runs.iter().map(|run| run.pruned).sum();
    let left = bench.snapshots(FILES).await.len() + bench.snapshots(MORE).await.len();
    assert_eq!(pruned + left, taken.len());
}

#[tokio::test]
async fn after_days_without_power_nothing_is_pruned() {
    let mut bench = Bench::new().await;
    bench.live(12 * HOUR).await;
    let before = bench.names(FILES).await;
    bench.machine.cut_power();
    bench.machine.boot();
    bench.machine.pass(5 * DAY);
    bench.restart().await;
    let runs = runs(bench.turn().await.events);
    assert_eq!(runs[0].taken.len(), 2);
    assert!(runs[0].taken[0].ends_with("_daily"), "{runs:?}");
    let now = bench.names(FILES).await;
    // The five newest of the old hourly ones, and the new one.
    assert!(
        before[before.len() - 5..].iter().all(|name| now.contains(name)),
        "{before:?} {now:?}"
    );
}

#[tokio::test]
async fn an_unsynchronised_clock_prunes_nothing() {
    let mut bench = Bench::new().await;
    bench.machine.set_clock_synchronised(false);
    let runs = bench.live(2 * DAY).await;
    assert!(runs.iter().all(|run| run.pruned == 0));
    assert_eq!(bench.names(FILES).await.len(), 2 * 24);
    assert!(
        problems(&runs).contains("does not follow a time server"),
        "{}",
        problems(&runs)
    );
    bench.machine.set_clock_synchronised(true);
    let runs = bench.live(HOUR).await;
    assert!(runs.iter().any(|run| run.pruned > 0), "{runs:?}");
}

#[tokio::test]
async fn a_torn_schedule_memory_stops_pruning_for_a_day() {
    for torn in [&b""[..], b"{\"trust\":{\"se"] {
        let mut bench = Bench::new().await;
        bench.live(12 * HOUR).await;
        bench.machine.put_file(memory::PATH, torn).unwrap();
        bench.restart().await;
        let before = bench.names(FILES).await;
        let runs = bench.live(23 * HOUR).await;
        assert!(runs.iter().all(|run| run.pruned == 0), "{runs:?}");
        assert!(
            problems(&runs).contains("no record of the clock"),
            "{}",
            problems(&runs)
        );
        let after = bench.names(FILES).await;
        assert!(before.iter().all(|name| after.contains(name)));
        let runs = bench.live(3 * HOUR).await;
        assert!(runs.iter().any(|run| run.pruned > 0), "it goes on: {runs:?}");
    }
}

#[tokio::test]
async fn a_clock_a_year_off_prunes_nothing() {
    let year_ms = 365 * 24 * 3_600_000;
    for ahead in [true, false] {
        let mut bench = Bench::new().await;
        bench.live(12 * HOUR).await;
        let before = bench.names(FILES).await;
        let now_ms = bench.machine.now_ms();
        bench
            .machine
            .set_clock(if ahead { now_ms + year_ms } else { now_ms - year_ms });
        let runs = bench.live(5 * HOUR).await;
        let after = bench.names(FILES).await;
        assert!(runs.iter().all(|run| run.pruned == 0), "ahead {ahead}: {runs:?}");
        assert!(before.iter().all(|name| after.contains(name)), "ahead {ahead}");
        assert!(after.len() >= before.len() + 5, "ahead {ahead}: {after:?}");
        bench.machine.set_clock(now_ms + 5 * 3_600_000);
        let more = bench.live(3 * HOUR).await;
        assert!(
            more.iter().any(|run| !run.taken.is_empty()),
            "it goes on when the clock is right again"
        );
    }
}

/// The scrub events in that time.
async fn scrubs(bench: &mut Bench, time: Duration) -> Vec<Scrub> {
    let end_ms = bench.machine.now_ms() + u64::try_from(time.as_millis()).unwrap();
    let mut told = Vec::new();
    while bench.machine.now_ms() < end_ms {
        let turn = bench.turn().await;
        told.extend(turn.events.into_iter().filter_map(|event| match event {
            Event::Scrub { what, .. } => Some(what),
            _ => None,
        }));
        bench.machine.pass(turn.wake);
    }
    told
}

async fn monthly(bench: &Bench, day: u32) {
    let wanted = KeepScrubs {
        pool: PoolName::new("data").unwrap(),
        every: ScrubEvery::Month,
        day,
        hour: 2,
    };
    bench.machine.write(&schedule::scrubs_file(&wanted)).await.unwrap();
}

#[tokio::test]
async fn a_corrected_clock_brings_scrubs_back() {
    let year_ms = 365 * 24 * 3_600_000;
    let once = [Scrub::Started, Scrub::Finished];
    for ahead in [true, false] {
        let mut bench = Bench::new().await;
        monthly(&bench, 3).await;
        // It is 1 March, 12:00.
        assert_eq!(scrubs(&mut bench, 3 * DAY).await, once);
        let now_ms = bench.machine.now_ms();
        let wrong_ms = if ahead { now_ms + year_ms } else { now_ms - year_ms };
        // A time in the future counts as never, so there is one more.
        let more: &[Scrub] = if ahead { &once } else { &[] };
        bench.machine.set_clock(wrong_ms);
        assert_eq!(
            scrubs(&mut bench, 8 * DAY).await,
            more,
            "ahead {ahead}: by the wrong clock"
        );
        bench.machine.set_clock(now_ms + 8 * 24 * 3_600_000);
        assert_eq!(
            scrubs(&mut bench, 21 * DAY).await,
            more,
            "ahead {ahead}: before 3 April"
        );
        let (state, now_s) = (bench.turn().await.state, bench.machine.now_ms() / 1000);
        assert!(
            state.last_scrub_s > 0 && state.last_scrub_s < now_s,
            "ahead {ahead}: {state:?}"
        );
        assert!(state.scrub_overdue_s > now_s, "ahead {ahead}: {state:?}");
        assert_eq!(scrubs(&mut bench, 3 * DAY).await, once, "ahead {ahead}: on 3 April");
    }
}

#[tokio::test]
async fn a_clock_from_1970_forgets_no_scrub() {
    for scrubbed in [true, false] {
        let mut bench = Bench::new().await;
        monthly(&bench, 3).await;
        let time = if scrubbed { 3 * DAY } else { HOUR };
        scrubs(&mut bench, time).await;
        let (before, now_ms) = (bench.turn().await.state, bench.machine.now_ms());
        // ZFS stores only the last scan.
        bench.machine.set_clock_synchronised(false);
        bench.machine.set_clock(60_000);
        bench.restart().await;
        bench.turn().await;
        bench.machine.set_clock(now_ms + 60_000);
        bench.machine.set_clock_synchronised(true);
        bench.restart().await;
        let after = bench.turn().await.state;
        assert_eq!(after.last_scrub_s, before.last_scrub_s, "scrubbed {scrubbed}");
        assert_eq!(after.scrub_overdue_s, before.scrub_overdue_s, "scrubbed {scrubbed}");
    }
}

#[tokio::test]
async fn an_ended_schedule_clears_its_problems() {
    let mut bench = Bench::new().await;
    bench.turn().await;
    bench.machine.set_pool_full("data", true);
    bench.live(2 * HOUR).await;
    assert!(!bench.turn().await.state.problems.is_empty());
    bench.schedule("");
    let state = bench.turn().await.state;
    assert!(state.problems.is_empty() && state.no_pruning.is_empty(), "{state:?}");
    bench.restart().await;
    let mut faults = Vec::new();
    seen(&bench.machine, &mut faults).await;
    assert_eq!(faults, [""; 0], "nor does the node tell of it for ever");
}

#[tokio::test]
async fn a_manual_scrub_counts_as_the_scheduled_one() {
    let mut bench = Bench::new().await;
    bench.turn().await;
    monthly(&bench, 1).await;
    // Until two minutes before 1 April: it takes ten.
    bench.turn().await;
    bench.machine.pass(30 * DAY + 13 * HOUR + Duration::from_secs(58 * 60));
    assert!(bench.machine.by_hand("zpool", &["scrub", "data"]).ok());
    let told = scrubs(&mut bench, 2 * DAY).await;
    assert!(told.is_empty(), "neither put off nor done again: {told:?}");
}

#[tokio::test]
async fn a_simulated_year_keeps_what_is_wanted_and_writes_little() {
    let keep = Keep::new([0, 24, 14, 8, 6, 1], 0).unwrap();
    let mut bench = Bench::keeping(keep).await;
    let mut most = 0;
    for _ in 0..365 {
        bench.machine.clear_log();
        bench.live(DAY).await;
        let written = bench
            .machine
            .log()
            .iter()
            .filter(|entry| entry.what.starts_with("write"))
            .count();
        most = most.max(written);
    }
    // The memory file has a few hundred bytes.
    assert!(most <= 30, "{most} writes in a day");
    let size = bench.machine.file(memory::PATH).unwrap().len();
    assert!(size < 2048, "{size} bytes are rewritten each hour");
    let left = bench.snapshots(FILES).await;
    let with = |word: &str| {
        left.iter()
            .filter(|one| one.mark.as_deref().unwrap().contains(word))
            .count()
    };
    assert!(left.len() < 70, "{}", left.len());
    assert!(with("monthly") >= 6 && with("weekly") >= 8 && with("daily") >= 14 && with("hourly") >= 24);
}

#[tokio::test]
async fn an_idle_schedule_runs_no_program() {
    let mut bench = Bench::new().await;
    bench.turn().await;
    bench.machine.clear_log();
    bench.machine.pass(Duration::from_secs(60));
    let turn = bench.turn().await;
    assert_eq!(bench.machine.log().len(), 0, "{:?}", bench.machine.log());
    assert!(turn.events.is_empty() && turn.wake > Duration::from_secs(60));
}

#[tokio::test]
async fn the_node_shows_its_last_and_next_work() {
    let mut bench = Bench::new().await;
    let scrubs = KeepScrubs {
        pool: PoolName::new("data").unwrap(),
        every: ScrubEvery::Month,
        day: 3,
        hour: 2,
    };
    bench.machine.write(&schedule::scrubs_file(&scrubs)).await.unwrap();
    assert_eq!(seen(&bench.machine, &mut Vec::new()).await.newest_snapshot_ms, 0);
    bench.live(2 * HOUR).await;
    let (found, now_ms) = (seen(&bench.machine, &mut Vec::new()).await, bench.machine.now_ms());
    let hour_ms = 3_600_000;
    assert!(now_ms - found.newest_snapshot_ms <= hour_ms, "{found:?} at {now_ms}");
    assert!(
        (now_ms..=now_ms + hour_ms).contains(&found.next_snapshot_ms),
        "{found:?} at {now_ms}"
    );
    assert_eq!(found.next_scrub_ms % (24 * hour_ms), 2 * hour_ms, "{found:?}");
    assert!(
        found.next_scrub_ms > now_ms && found.last_scrub_ms <= now_ms,
        "{found:?}"
    );
    let nothing = seen(&Machine::builder("b").build(), &mut Vec::new()).await;
    assert_eq!(nothing, Seen::default());
}

#[tokio::test]
async fn the_node_shows_failing_and_overdue_work() {
    let mut bench = Bench::new().await;
    monthly(&bench, 3).await;
    let said = async |bench: &Bench| {
        let mut faults = Vec::new();
        seen(&bench.machine, &mut faults).await;
        faults.join("; ")
    };
    bench.live(HOUR).await;
    assert_eq!(said(&bench).await, "");
    bench.machine.set_pool_full("data", true);
    bench.live(HOUR).await;
    assert!(said(&bench).await.contains("out of space"), "{}", said(&bench).await);
    bench.machine.set_pool_full("data", false);
    bench.live(HOUR).await;
    assert_eq!(said(&bench).await, "");
    bench.machine.pass(39 * DAY);
    assert!(said(&bench).await.contains("a scrub of pool data is overdue"));
    bench
        .machine
        .put_file(schedule::SNAPSHOTS, b"heeler snapshots 1\nx")
        .unwrap();
    assert!(said(&bench).await.contains("is not a schedule of this version"));
}
