use heeler_host::sim::{Fault, Loss, Machine};
use heeler_proto::{
    CreatePool, DiskIdentity, EraseContents, EraseDisk, Generation, Irreversible, PoolName, Serial, Task,
};
use heeler_tasks::engine::{Intent, Outcome};

use super::*;
use crate::assignment::Assignment;

async fn open(machine: &Machine) -> Journal {
    let host: Arc<dyn System> = Arc::new(machine.clone());
    let clock = Clock::open(host.clone()).await.unwrap();
    Journal::open(host, clock).await.unwrap()
}

fn machine() -> Machine {
    Machine::builder("a").build()
}

async fn bytes(machine: &Machine) -> Vec<u8> {
    machine.read(Path::new(PATH)).await.unwrap()
}

async fn put(machine: &Machine, bytes: &[u8]) {
    rewrite(machine, bytes.to_vec()).await.unwrap();
}

fn task() -> TaskId {
    TaskId::from_random(1)
}

fn act(serial: &str) -> Irreversible {
    Irreversible::EraseContents(EraseContents {
        disk: DiskIdentity {
            serial: Serial::new(serial).unwrap(),
            size_bytes: 1,
        },
        finding: "ext4".into(),
    })
}

fn accepted() -> Entry {
    Entry::Accepted(Box::new(Assignment {
        task_id: task(),
        generation: Generation { epoch: 1, counter: 1 },
        task: Task::EraseDisk(EraseDisk {
            serial: Serial::new("A").unwrap(),
            live: vec![],
        }),
        consents: vec![],
        revision: 1,
    }))
}

fn intent(serial: &str) -> Intent {
    Intent {
        step: "DiskBlank".into(),
        op: 0,
        summary: String::new(),
        act: Some(act(serial)),
        reboot: false,
        boot_id: None,
        job: None,
    }
}

fn begun(serial: &str) -> Entry {
    Entry::Begun {
        task: task(),
        intent: intent(serial),
    }
}

fn ended(serial: &str, error: Option<&str>) -> Entry {
    Entry::Ended {
        task: task(),
        intent: intent(serial),
        error: error.map(str::to_owned),
    }
}

fn used(consent: &str) -> Entry {
    Entry::Used(Used {
        consent: consent.into(),
        task: task(),
        act: act("A").digest(),
        expires_at_ms: 1,
        spent: false,
    })
}

fn step() -> Event {
    Event::StepStarted {
        step: "PoolExists".into(),
    }
}

fn over() -> Event {
    Event::TaskFinished {
        outcome: Outcome::Done,
        changes: 0,
        pools: vec![],
    }
}

async fn recorded(machine: &Machine) -> Journal {
    let journal = open(machine).await;
    journal.append(accepted()).await.unwrap();
    journal.append(used("1")).await.unwrap();
    journal.append(begun("A")).await.unwrap();
    journal.tell(Some(&task()), step()).await.unwrap();
    journal.append(ended("A", None)).await.unwrap();
    journal.append(begun("B")).await.unwrap();
    journal
}

#[tokio::test]
async fn written_entries_are_known_after_a_restart() {
    let machine = machine();
    let state = recorded(&machine).await.state().clone();
    assert_eq!(state.interrupted(), [act("B")]);
    assert!(state.used[0].spent && state.in_hand.is_some());
    assert_eq!(*open(&machine).await.state(), state);
}

#[tokio::test]
async fn a_journal_torn_at_any_byte_opens_and_continues() {
    let machine = machine();
    recorded(&machine).await;
    let whole = bytes(&machine).await;
    for cut in 0..whole.len() {
        put(&machine, &whole[..cut]).await;
        let journal = open(&machine).await;
        journal.tell(Some(&task()), step()).await.unwrap();
        let state = journal.state().clone();
        assert_eq!(*open(&machine).await.state(), state, "cut at {cut}");
    }
}

#[tokio::test]
async fn an_entry_that_failed_to_write_leaves_no_trace() {
    let machine = machine();
    let journal = recorded(&machine).await;
    let (before, state) = (bytes(&machine).await, journal.state().clone());
    machine.fail_next(PATH, Fault::CannotWrite(io::ErrorKind::StorageFull));
    assert!(journal.tell(Some(&task()), step()).await.is_err());
    assert_eq!(bytes(&machine).await, before);
    assert_eq!(*journal.state(), state);
    journal.tell(Some(&task()), step()).await.unwrap();
    assert_eq!(journal.state().last_seq, 2);
}

#[tokio::test]
async fn a_power_cut_loses_one_journal_entry_at_most() {
    for after in 0.. {
        let machine = machine();
        let journal = recorded(&machine).await;
        let before = journal.state().clone();
        let (at, task) = (machine.points() + after, task());
        machine.lose_at(at, Loss::Power);
        tokio::select! {
            biased;
            written = journal.tell(Some(&task), step()) => written.unwrap(),
            _ = machine.lost() => {}
        }
        if machine.loss().is_none() {
            return;
        }
        machine.boot();
        let known = open(&machine).await.state().clone();
        assert!(
            known.last_seq == before.last_seq || known.last_seq == before.last_seq + 1,
            "{after}"
        );
        assert_eq!(known.begun, before.begun);
    }
}

#[tokio::test]
async fn concurrent_writers_never_mix_their_entries() {
    let machine = machine();
    let journal = Arc::new(open(&machine).await);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move { journal.tell(Some(&task()), step()).await.unwrap() });
    }
    writers.join_all().await;
    let numbers: Vec<u64> = open(&machine)
        .await
        .state()
        .events
        .iter()
        .map(|numbered| numbered.seq)
        .collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn compacting_the_journal_forgets_nothing_needed() {
    let machine = machine();
    let journal = recorded(&machine).await;
    for seq in 2..=1000 {
        journal.tell(Some(&task()), step()).await.unwrap();
        journal.acknowledge(seq - 1).await.unwrap();
    }
    let long = bytes(&machine).await.len() as u64;
    assert!(long > COMPACT_BYTES, "a task is in hand");
    journal.tell(Some(&task()), over()).await.unwrap();
    journal.acknowledge(1000).await.unwrap();
    let state = journal.state().clone();
    assert!((bytes(&machine).await.len() as u64) < COMPACT_BYTES / 8);
    assert_eq!(
        (state.last_seq, state.acknowledged, state.events.len()),
        (1001, 1000, 1)
    );
    assert_eq!(state.interrupted(), [act("B")]);
    assert_eq!(state.used.len(), 1);
    assert_eq!(*open(&machine).await.state(), state);
}

#[test]
fn compacting_forgets_no_used_consent() {
    let mut state = State::default();
    state.apply(used("1"));
    for _ in 0..3 {
        let mut anew = State::default();
        state.entries().into_iter().for_each(|entry| anew.apply(entry));
        assert_eq!(anew, state);
        state = anew;
    }
    assert_eq!(state.used.len(), 1);
}

#[test]
fn used_consents_are_bounded_and_dropped_ones_stay_refused() {
    let mut state = State::default();
    for (number, expires_at_ms) in (1..=2000).map(|number: u64| (number, number * 7919 % 10_000)) {
        let Entry::Used(used) = used(&number.to_string()) else {
            panic!("not a used consent")
        };
        state.apply(Entry::Used(Used { expires_at_ms, ..used }));
        let mut anew = State::default();
        state.entries().into_iter().for_each(|entry| anew.apply(entry));
        assert_eq!(anew, state);
    }
    assert_eq!(state.used.len(), 512);
    for (number, expires_at_ms) in (1..=2000).map(|number: u64| (number, number * 7919 % 10_000)) {
        let listed = state.used.iter().any(|used| used.consent == number.to_string());
        assert!(listed || expires_at_ms <= state.forgotten_ms, "{number}");
    }
}

#[tokio::test]
async fn an_impossible_acknowledgement_changes_nothing_over_a_restart() {
    let machine = machine();
    let journal = recorded(&machine).await;
    let before = journal.state().clone();
    journal.acknowledge(u64::MAX).await.unwrap();
    assert_eq!(*journal.state(), before);
    // An earlier version wrote it.
    journal.append(Entry::Acknowledged { seq: u64::MAX }).await.unwrap();
    let again = open(&machine).await;
    assert_eq!(*again.state(), before);
    again.tell(None, step()).await.unwrap();
    assert_eq!(again.state().last_seq, before.last_seq + 1);
}

#[test]
fn a_failure_does_not_hide_an_interrupted_attempt() {
    let mut state = State::default();
    for entry in [begun("A"), begun("A"), ended("A", Some("I/O error"))] {
        state.apply(entry);
    }
    assert_eq!(state.interrupted(), [act("A")]);
    for entry in [begun("A"), ended("A", None)] {
        state.apply(entry);
    }
    assert_eq!(state.interrupted(), []);
}

#[test]
fn another_tasks_erasure_is_not_continued() {
    let mut state = State::default();
    state.apply(begun("A"));
    assert_eq!(state.interrupted_before(&task()), [act("A")]);
    assert_eq!(state.interrupted_before(&TaskId::from_random(99)), []);
}

#[test]
fn a_failed_creation_is_recorded_and_permits_nothing() {
    let create = |pool: &str| {
        Irreversible::CreatePool(CreatePool {
            unread: vec![],
            pool: PoolName::new(pool).unwrap(),
            disks: vec![],
            properties: vec![],
        })
    };
    let intent = |pool: &str| Intent {
        act: Some(create(pool)),
        ..intent("A")
    };
    let begun = |pool: &str| Entry::Begun {
        task: task(),
        intent: intent(pool),
    };
    let ended = |pool: &str, error: Option<&str>| Entry::Ended {
        task: task(),
        intent: intent(pool),
        error: error.map(str::to_owned),
    };
    let mut state = State::default();
    for entry in [begun("a"), ended("a", Some("19")), begun("a"), ended("a", Some("19"))] {
        state.apply(entry);
    }
    assert_eq!(state.interrupted(), [create("a")]);
    assert_eq!(state.begun, []);
    state.apply(begun("b"));
    let mut anew = State::default();
    state.entries().into_iter().for_each(|entry| anew.apply(entry));
    assert_eq!(anew, state);
    for entry in [begun("a"), ended("a", None)] {
        state.apply(entry);
    }
    assert_eq!(state.interrupted(), [create("b")]);
}

#[test]
fn a_new_journal_continues_the_coordinators_numbers() {
    let mut state = State::default();
    state.apply(Entry::Acknowledged { seq: 40 });
    assert_eq!(state.last_seq, 40);
}

#[test]
fn a_journal_keeps_the_words_that_it_had() {
    use heeler_tasks::engine::{Scrub, StepEnd};
    let words = r#"["started","finished","stopped","put off"]"#;
    let all = [Scrub::Started, Scrub::Finished, Scrub::Stopped, Scrub::PutOff];
    assert_eq!(serde_json::from_str::<[Scrub; 4]>(words).unwrap(), all);
    let words = r#"["satisfied","not applicable","blocked","failed"]"#;
    let all = [
        StepEnd::Satisfied,
        StepEnd::NotApplicable,
        StepEnd::Blocked,
        StepEnd::Failed,
    ];
    assert_eq!(serde_json::from_str::<[StepEnd; 4]>(words).unwrap(), all);
}

#[tokio::test]
async fn waiting_events_have_a_bound_and_alarms_stay() {
    let machine = machine();
    let journal = open(&machine).await;
    journal.append(accepted()).await.unwrap();
    let scrub = |errors| Event::Scrub {
        pool: "data".into(),
        what: heeler_tasks::engine::Scrub::Finished,
        text: "x".repeat(2000),
        errors,
    };
    for number in 0..5000_u64 {
        journal
            .tell(None, scrub(u64::from(number % 1000 == 600)))
            .await
            .unwrap();
        assert!(machine.file(PATH).unwrap().len() < 16 << 20);
    }
    let check = |state: &State, events: usize, dropped: u64| {
        let alarms = state
            .events
            .iter()
            .filter(|numbered| !numbered.event.is_routine())
            .count();
        assert_eq!((state.events.len(), state.dropped, alarms), (events, dropped, 5));
        assert_eq!((state.events[499].seq, state.last_seq), (500, 5000));
        assert!(state.in_hand.is_some());
    };
    check(&journal.state(), 2000, 3000);
    let again = open(&machine).await;
    check(&again.state(), 2000, 3000);
    again.acknowledge(400).await.unwrap();
    let state = again.state().clone();
    assert_eq!((state.dropped, state.last_seq), (0, 5001));
    let Some(Event::Progress { text, .. }) = state.events.last().map(|numbered| numbered.event.clone()) else {
        panic!("the loss is reported")
    };
    assert!(text.starts_with("3000 events were dropped"), "{text}");
    assert_eq!(*open(&machine).await.state(), state);
}
