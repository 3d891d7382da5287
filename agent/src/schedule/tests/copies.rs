use heeler_proto::{KeepCopies, PoolName};
use heeler_tasks::snapshot::copy;

use super::super::seen;
use super::*;

const FOLDER: &str = "/data/more/.heeler/node";

async fn bench(keep: u32) -> Bench {
    let bench = Bench::new().await;
    put_schedule(&bench, keep).await;
    bench
}

async fn put_schedule(bench: &Bench, keep: u32) {
    let pool = PoolName::new("data").unwrap();
    let wanted = KeepCopies { pool, keep };
    bench.machine.write(&schedule::copies_file(&wanted)).await.unwrap();
}

async fn receipts(bench: &Bench) -> usize {
    let names = bench
        .machine
        .list(std::path::Path::new(FOLDER))
        .await
        .unwrap_or_default();
    names.iter().filter(|name| name.ends_with(".json")).count()
}

#[tokio::test]
async fn a_copy_is_made_each_day_and_the_newest_stay() {
    let mut bench = bench(3).await;
    bench.turn().await;
    assert_eq!(receipts(&bench).await, 1, "the first one at once");
    for (days, expected) in [(1, 2), (1, 3), (1, 3), (7, 3)] {
        bench.live(days * DAY + HOUR).await;
        assert_eq!(receipts(&bench).await, expected);
    }
    let state = bench.turn().await.state;
    let now_s = bench.machine.now_ms() / 1000;
    assert!(now_s - state.last_copy_s < copy::DAY_S + 3700, "{state:?}");
    assert_eq!(state.copy_overdue_s, state.last_copy_s + copy::OVERDUE_S);
    assert_eq!(state.copy_problem, "");
}

#[tokio::test]
async fn a_restarted_agent_makes_no_second_copy() {
    let mut bench = bench(14).await;
    for _ in 0..5 {
        bench.turn().await;
        bench.restart().await;
        bench.machine.pass(HOUR);
    }
    assert_eq!(receipts(&bench).await, 1);
}

#[tokio::test]
async fn a_copy_missed_while_the_pool_was_away_follows() {
    let mut bench = bench(14).await;
    bench.turn().await;
    let guid = zpool::status(&bench.machine).await.unwrap()[0].guid;
    assert_eq!(bench.machine.by_hand("zpool", &["export", "data"]).code, 0);
    bench.live(3 * DAY).await;
    let state = bench.turn().await.state;
    let now_s = bench.machine.now_ms() / 1000;
    assert!(state.last_copy_s > 0 && state.copy_overdue_s < now_s, "{state:?}");
    assert!(state.copy_problem.contains("no dataset of the pool data"), "{state:?}");
    let mut faults = Vec::new();
    let found = seen(&bench.machine, &mut faults).await;
    assert_eq!(found.last_copy_ms, state.last_copy_s * 1000);
    let overdue = faults
        .iter()
        .find(|fault| fault.contains("copy of the SD card is overdue"));
    assert!(overdue.is_some_and(|fault| fault.contains("no dataset")), "{faults:?}");
    assert_eq!(receipts(&bench).await, 0, "something is on the card");

    let done = bench.machine.run(&zpool::import_command(guid)).await.unwrap();
    assert_eq!(done.code, 0, "{}", done.stderr);
    bench.type_zfs(&["mount", MORE]);
    bench.live(2 * HOUR).await;
    assert_eq!(receipts(&bench).await, 2);
    assert_eq!(bench.turn().await.state.copy_problem, "");
}

#[tokio::test]
async fn without_wanted_copies_none_is_made_or_removed() {
    let mut bench = bench(2).await;
    bench.live(2 * DAY + HOUR).await;
    assert_eq!(receipts(&bench).await, 2);
    put_schedule(&bench, 0).await;
    bench.live(3 * DAY).await;
    assert_eq!(receipts(&bench).await, 2);
    let state = bench.turn().await.state;
    assert_eq!((state.last_copy_s, state.copy_overdue_s), (0, 0));
}
