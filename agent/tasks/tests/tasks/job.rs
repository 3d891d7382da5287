//! A job outlives the agent, and its result belongs to the task that began it alone.

use heeler_host::sim::Loss;
use heeler_host::{Command, System as _};
use heeler_proto::TaskId;
use heeler_tasks::engine::{AnyStep, Event, Op, Outcome, Plan, carry_out};

use crate::journal::Journal;
use crate::life::{Life, pi};
use crate::safety_rules::CheckedMachine;
use crate::stand_in::StandIn;

/// zgenhostid fails while this file exists.
const FILE: &str = "/etc/hostid";
const ID: [u8; 4] = 0x00ba_b10c_u32.to_le_bytes();

fn generate() -> Op {
    Op::Job(Command::change("zgenhostid").arg("0x00bab10c"))
}

/// Ensures the host id, and does so by a job.
fn host_id() -> Vec<Box<dyn AnyStep>> {
    vec![StandIn::says("HostIdMade", FILE, |_, found| {
        Ok(match found {
            Some(found) if found == ID => Plan::Satisfied,
            _ => Plan::change(vec![generate()]),
        })
    })]
}

/// The image has a host id.
async fn node() -> Life {
    let life = with_other_id();
    life.machine.remove(FILE.as_ref()).await.unwrap();
    life
}

fn with_other_id() -> Life {
    Life::of(pi().build())
}

async fn run(life: &mut Life) -> Outcome {
    let id = life.next_task();
    life.steps(&id, &host_id()).await
}

fn started(life: &Life) -> usize {
    let log = life.machine.log();
    log.iter().filter(|entry| entry.what.starts_with("job heeler-")).count()
}

fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("should have failed: {other:?}"),
    }
}

/// What an undisturbed run of the steps passes, as numbers from its first.
async fn points(life: &mut Life, steps: &[Box<dyn AnyStep>]) -> Vec<u64> {
    let (id, first) = (life.next_task(), life.machine.points());
    life.steps(&id, steps).await;
    (0..life.machine.points() - first).collect()
}

#[tokio::test]
async fn a_failed_job_runs_again_in_the_next_task() {
    let mut life = with_other_id();
    let failed = reason(run(&mut life).await);
    assert!(
        failed.contains("ended with 1: zgenhostid begins / zgenhostid: /etc/hostid already exists"),
        "{failed}"
    );
    assert!(failed.contains("journalctl -u heeler-HostIdMade-"), "{failed}");
    life.machine.remove(FILE.as_ref()).await.unwrap();
    assert_eq!(run(&mut life).await, Outcome::Done);
    assert_eq!((started(&life), life.machine.file(FILE).unwrap()), (2, ID.to_vec()));
}

#[tokio::test]
async fn an_old_success_is_not_taken_for_a_new_one() {
    let mut life = node().await;
    assert_eq!(run(&mut life).await, Outcome::Done);
    life.machine.remove(FILE.as_ref()).await.unwrap();
    assert_eq!(run(&mut life).await, Outcome::Done);
    assert_eq!((started(&life), life.machine.file(FILE).unwrap()), (2, ID.to_vec()));
}

#[tokio::test]
async fn a_job_ends_as_it_should_wherever_it_is_interrupted() {
    for at in points(&mut node().await, &host_id()).await {
        for loss in [Loss::Power, Loss::Agent, Loss::AgentAndItsWork] {
            let mut life = node().await;
            life.machine.lose_at(life.machine.points() + at, loss);
            assert_eq!(run(&mut life).await, Outcome::Done, "{loss:?} at {at}");
            assert_eq!(life.machine.file(FILE).unwrap(), ID, "{loss:?} at {at}");
            if loss != Loss::Power {
                assert_eq!(started(&life), 1, "{loss:?} at {at}: the job outlives the agent");
            }
        }
    }
}

#[tokio::test]
async fn a_killed_agent_reports_the_failure_of_its_job() {
    for at in points(&mut with_other_id(), &host_id()).await {
        let mut life = with_other_id();
        life.machine.lose_at(life.machine.points() + at, Loss::Agent);
        let failed = reason(run(&mut life).await);
        assert!(failed.contains("already exists"), "{at}: {failed}");
    }
}

#[tokio::test]
async fn jobs_of_a_step_keep_their_order() {
    let both = || -> Vec<Box<dyn AnyStep>> {
        vec![StandIn::says("Both", FILE, |_, found| {
            let first = Op::Job(Command::change("update-initramfs").arg("-u"));
            Ok(match found {
                Some(_) => Plan::Satisfied,
                None => Plan::change(vec![first, generate()]),
            })
        })]
    };
    for at in points(&mut node().await, &both()).await {
        let mut life = node().await;
        let id = life.next_task();
        life.machine.lose_at(life.machine.points() + at, Loss::Agent);
        assert_eq!(life.steps(&id, &both()).await, Outcome::Done, "{at}");
        assert_eq!(life.machine.file(FILE).unwrap(), ID, "{at}");
        let jobs: Vec<String> = life.machine.log().into_iter().map(|entry| entry.what).collect();
        let last = jobs.iter().rfind(|what| what.starts_with("job heeler-"));
        assert!(last.unwrap().contains("zgenhostid"), "{at}: {jobs:?}");
    }
}

#[tokio::test]
async fn systemd_keeps_no_result_after_the_task() {
    let mut life = node().await;
    let id = life.next_task();
    life.steps(&id, &host_id()).await;
    let unit = format!("heeler-HostIdMade-{id}.service");
    assert_eq!(
        life.machine.job_state(&unit).await.unwrap(),
        heeler_host::JobState::Unknown
    );
}

#[tokio::test]
async fn what_a_job_prints_is_its_progress() {
    let life = node().await;
    let host = CheckedMachine::new(life.machine.clone());
    let id = TaskId::from_random(1);
    let mut journal = Journal::open(&host, (&life.node, &id), &[], &[]).await;
    carry_out(&host, &life.node, &host_id(), &mut journal).await;
    let Event::Progress { step, text, percent } = &journal.progress[0] else {
        panic!("{:?}", journal.progress)
    };
    assert_eq!(
        (step.as_str(), text.as_str(), *percent),
        ("HostIdMade", "zgenhostid begins", None)
    );
}
