//! A pool is created only when every byte of its disks was read in this boot, and nothing was written to them since.

use std::path::Path;

use heeler_host::disk::{NotBlank, Reading};
use heeler_host::sim::{DiskSpec, Fault, Loss, Machine};
use heeler_proto::{EnsurePool, Irreversible, Serial, Task};
use heeler_tasks::engine::{Event, Outcome};

use crate::journal::Journal;
use crate::life::{A, B, Life, blocked, ensure, erase, pi, spec};

const SIZE: u64 = 128_035_676_160;
const KEPT_EACH: u64 = 16 << 30;

async fn reading(machine: &Machine) -> Result<Reading, NotBlank> {
    let device = format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{A}");
    Reading::resume(machine, A, Path::new(&device), SIZE).await
}

async fn read_to(machine: &Machine, bytes: u64) -> Reading {
    let mut reading = reading(machine).await.unwrap();
    while reading.read_bytes < bytes {
        reading.go_on(machine).await.unwrap();
    }
    reading
}

#[tokio::test]
async fn a_reading_continues_after_an_agent_restart() {
    let machine = pi().blank(A).blank(B).build();
    read_to(&machine, KEPT_EACH + 1).await;
    assert_eq!(reading(&machine).await.unwrap().read_bytes, KEPT_EACH);
    assert!(read_to(&machine, SIZE).await.is_whole());
    assert!(reading(&machine).await.unwrap().is_whole(), "nothing is read twice");
}

#[tokio::test]
async fn a_reboot_or_write_restarts_the_reading() {
    let disturbances: [fn(&Machine); 4] = [
        |machine| machine.boot(),
        |machine| machine.write_disk(A, 5 << 30, &[0]),
        |machine| {
            machine.pull_disk(A);
            machine.insert_disk(A);
        },
        |machine| machine.swap_disk(A, &DiskSpec::blank(A)),
    ];
    for (at, disturb) in disturbances.iter().enumerate() {
        let machine = pi().blank(A).blank(B).build();
        read_to(&machine, SIZE).await;
        disturb(&machine);
        assert_eq!(reading(&machine).await.unwrap().read_bytes, 0, "{at}");
    }
}

#[tokio::test]
async fn a_write_during_the_reading_ends_it_unproven() {
    let machine = pi().blank(A).blank(B).build();
    let mut reading = read_to(&machine, 1 << 30).await;
    // Before the place that the reading has reached: that part was read already.
    machine.write_disk(A, 4096, b"new");
    let ended = loop {
        if let Err(why) = reading.go_on(&machine).await {
            break why;
        }
        assert!(!reading.is_whole());
    };
    assert!(matches!(ended, NotBlank::Changed), "{ended}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_is_not_proven() {
    let machine = pi().blank(A).blank(B).build();
    let mut reading = reading(&machine).await.unwrap();
    machine.fail_next(&format!("read {A}"), Fault::TimesOut);
    let why = reading.go_on(&machine).await.unwrap_err();
    assert!(matches!(why, NotBlank::Unreadable(_)), "{why}");
}

#[tokio::test]
async fn unsaved_progress_is_no_fault_of_the_disk() {
    let machine = pi().blank(A).blank(B).build();
    let mut reading = reading(&machine).await.unwrap();
    machine.set_card_full(true);
    let why = loop {
        if let Err(why) = reading.go_on(&machine).await {
            break why;
        }
    };
    assert!(matches!(why, NotBlank::NotSaved(_)), "{why}");
}

async fn told(life: &Life, task: u128) -> Vec<String> {
    let id = heeler_proto::TaskId::from_random(task);
    let journal = Journal::open(&life.machine, (&life.node, &id), &[], &[]).await;
    let ops = journal.events().filter_map(|event| match event {
        Event::OpFinished { summary, .. } => Some(summary.clone()),
        _ => None,
    });
    ops.collect()
}

#[tokio::test]
async fn both_disks_are_proven_blank_before_their_pool_is_made() {
    let mut life = Life::blank();
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    let told = told(&life, 1).await;
    let at = |what: &str| told.iter().position(|one| one.starts_with(what));
    let proven = at(&format!("proven blank, every byte read: {A}, {B}"));
    assert!(proven.is_some() && proven < at("create mirror"), "{told:?}");
}

#[tokio::test]
async fn a_disk_that_was_erased_is_read_like_any_other() {
    let content = heeler_host::sim::Content::Ext4("backup");
    let mut life = Life::of(pi().blank(A).disk(DiskSpec::holding(B, content)).build());
    assert_eq!(life.apply(&erase(B)).await, Outcome::Done);
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    let told = told(&life, 2).await;
    assert!(
        told.contains(&format!("proven blank, every byte read: {A}, {B}")),
        "{told:?}"
    );
}

#[tokio::test]
async fn data_found_by_reading_stays_refused_until_erased() {
    let mut life = Life::blank();
    life.machine.write_disk(B, 77_777_777_777, b"the only copy of a letter");
    blocked(life.apply(&ensure(spec())).await);
    assert_eq!(life.acts(&ensure(spec())).await, [], "the look knows where to look now");
    let (found, _, _) = blocked(life.apply(&ensure(spec())).await);
    assert!(found.contains("text at byte 77777777777"), "{found}");
    assert_eq!(life.apply(&erase(B)).await, Outcome::Done);
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
}

fn unread(serials: &[&str]) -> Task {
    Task::EnsurePool(EnsurePool {
        pool: spec(),
        live: Vec::new(),
        unread: serials.iter().map(|serial| Serial::new(serial).unwrap()).collect(),
    })
}

#[tokio::test]
async fn only_the_named_disk_is_not_read() {
    let mut life = Life::blank();
    let acts = life.acts(&unread(&[A, "another"])).await;
    let [Irreversible::CreatePool(create)] = acts.as_slice() else {
        panic!("{acts:?}");
    };
    assert_eq!(create.unread, [Serial::new(A).unwrap()]);
    // A consent to a creation with reading does not cover one without.
    let id = life.next_task();
    let consents: Vec<_> = life.acts(&ensure(spec())).await;
    let consents: Vec<_> = consents.iter().map(|act| life.consent(&id, act)).collect();
    blocked(life.carry_out(&id, &unread(&[A]), &consents).await);
    assert!(life.machine.is_blank(A) && life.machine.is_blank(B));
    assert_eq!(life.apply(&unread(&[A])).await, Outcome::Done);
    let told = told(&life, 2).await;
    assert!(
        told.contains(&format!("proven blank, every byte read: {B}")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_killed_agent_continues_the_reading() {
    for loss in [Loss::Agent, Loss::AgentAndItsWork, Loss::Power] {
        let mut life = Life::blank();
        let folder = "write /var/lib/heeler-agent/read/";
        let points = {
            let mut other = Life::blank();
            other.points(&ensure(spec())).await.len() as u64
        };
        assert_eq!(
            life.disturbed(&ensure(spec()), Some((points / 2, loss))).await,
            Outcome::Done
        );
        let kept = life.changes().iter().filter(|what| what.starts_with(folder)).count();
        assert!(kept >= 16, "{kept}");
    }
}
