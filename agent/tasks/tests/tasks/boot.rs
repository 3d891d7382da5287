//! How a node starts, its swap and its journal.

use heeler_host::sim::{Fault, Machine};
use heeler_host::{System as _, journald, swap};
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const GENERATOR: &str = "/usr/lib/systemd/system-generators/rpi-swap-generator";
const JOURNALD: &str = "/etc/systemd/journald.conf.d/90-heeler.conf";

fn task(spec: &str) -> Task {
    Task::read("set up boot", spec.as_bytes()).unwrap()
}

/// Raspberry Pi OS with Debian 13: rpi-swap set up swap at the boot.
async fn with_rpi_swap() -> Life {
    let machine = pi().build();
    machine.put_file(GENERATOR, b"").unwrap();
    machine.boot();
    Life::of(machine)
}

async fn with_dphys() -> Life {
    Life::of(pi().enabled(swap::OLDER).build())
}

async fn swaps(life: &Life) -> Vec<String> {
    swap::in_use(&life.machine).await.unwrap()
}

async fn place(machine: &Machine) -> (bool, u64) {
    let place = journald::place(machine).await.unwrap().unwrap();
    (place.in_memory, place.most_bytes >> 20)
}

#[tokio::test]
async fn swap_is_off_wherever_it_is_interrupted() {
    for older in [false, true] {
        let node = async || match older {
            false => with_rpi_swap().await,
            true => with_dphys().await,
        };
        assert!(!swaps(&node().await).await.is_empty());
        at_every_point(node, &task(r#"{"swap":"off"}"#), async |life, outcome, at| {
            assert_eq!(outcome, Outcome::Done, "{at}");
            for boots in 0..2 {
                assert!(swaps(life).await.is_empty(), "{at} {boots}");
                life.machine.boot();
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_journal_is_bounded_wherever_it_is_interrupted() {
    for (spec, wanted) in [
        (r#"{"journal":"memory"}"#, (true, 64)),
        (r#"{"journal":{"card":134217728}}"#, (false, 128)),
    ] {
        let node = async || Life::of(pi().build());
        at_every_point(node, &task(spec), async |life, outcome, at| {
            assert_eq!(outcome, Outcome::Done, "{at}");
            for boots in 0..2 {
                assert_eq!(place(&life.machine).await, wanted, "{at} {boots}");
                life.machine.boot();
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_node_without_swap_and_with_its_journal_stays() {
    let both = task(r#"{"swap":"off","journal":"memory"}"#);
    let mut life = with_rpi_swap().await;
    assert_eq!(life.apply(&both).await, Outcome::Done);
    let before = life.changes().len();
    assert!(before > 0);
    assert_eq!(life.apply(&both).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}

#[tokio::test]
async fn what_is_not_asked_for_stays() {
    let mut life = with_rpi_swap().await;
    assert_eq!(life.apply(&task(r#"{"journal":"memory"}"#)).await, Outcome::Done);
    assert_eq!(swaps(&life).await, ["/dev/zram0"]);
    assert!(life.machine.file(swap::SETTINGS).is_none());
    let mut life = with_rpi_swap().await;
    assert_eq!(life.apply(&task(r#"{"swap":"off"}"#)).await, Outcome::Done);
    assert!(life.machine.file(JOURNALD).is_none());
}

#[tokio::test]
async fn swap_in_fstab_is_left_to_a_person() {
    let mut life = with_rpi_swap().await;
    life.machine
        .put_file("/etc/fstab", b"UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n")
        .unwrap();
    let (found, _, next) = blocked(life.apply(&task(r#"{"swap":"off"}"#)).await);
    assert!(found.contains("UUID=2 none swap sw 0 0"), "{found}");
    assert!(next.contains("remove that line"), "{next}");
    assert_eq!(swaps(&life).await, ["/dev/zram0"]);
}

#[tokio::test]
async fn swap_of_another_program_is_left_to_a_person() {
    let mut life = with_rpi_swap().await;
    life.machine.remove(GENERATOR.as_ref()).await.unwrap();
    let (found, ..) = blocked(life.apply(&task(r#"{"swap":"off"}"#)).await);
    assert!(found.contains("/dev/zram0"), "{found}");
    assert_eq!(swaps(&life).await, ["/dev/zram0"]);
}

#[tokio::test]
async fn swap_that_does_not_fit_into_memory_is_told() {
    let mut life = with_rpi_swap().await;
    let full = "swapoff: /dev/zram0: swapoff failed: Cannot allocate memory\n";
    life.machine.fail_next("swapoff", Fault::complains(4, full));
    let outcome = life.apply(&task(r#"{"swap":"off"}"#)).await;
    let Outcome::Failed { step, reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(step, "SwapOff");
    assert!(reason.contains("Cannot allocate memory"), "{reason}");
}

#[tokio::test]
async fn later_settings_of_the_journal_block() {
    let mut life = Life::of(pi().build());
    let mine = "/etc/systemd/journald.conf.d/99-mine.conf";
    life.machine.put_file(mine, b"[Journal]\nStorage=auto\n").unwrap();
    let (found, why, _) = blocked(life.apply(&task(r#"{"journal":"memory"}"#)).await);
    assert!(found.contains(mine), "{found}");
    assert!(why.contains("the last one wins"), "{why}");
    assert!(life.machine.file(JOURNALD).is_none());
}

#[tokio::test]
async fn journald_that_does_not_start_again_stops_the_task() {
    let mut life = Life::of(pi().build());
    life.machine
        .fail_next(journald::SERVICE, Fault::complains(1, "any fault fails the start"));
    let outcome = life.apply(&task(r#"{"journal":"memory"}"#)).await;
    let Outcome::Failed { reason, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(reason.contains("systemd-journald.service did not restart"), "{reason}");
    assert_eq!(life.apply(&task(r#"{"journal":"memory"}"#)).await, Outcome::Done);
    assert_eq!(place(&life.machine).await, (true, 64));
}
