//! A node with an agent that may be killed, and an operator who consents.

use heeler_host::guard::{self, GuardState};
use heeler_host::sim::{Builder, Loss, Machine};
use heeler_proto::v1::StepReport;
use heeler_proto::{
    Consent, Dataset, EnsurePool, EraseDisk, HostId, Irreversible, Mountpoint, NodeName, PoolGuid, PoolName, PoolSpec,
    Serial, Task, TaskId,
};
use heeler_tasks::engine::{AnyStep, Outcome, Record as _};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::journal::{Awaited, Journal};
use crate::safety_rules::{CheckedMachine, Point};

pub(crate) const A: &str = "S6XNNS0W100001";
pub(crate) const B: &str = "S6XNNS0W100002";
pub(crate) const FILE: &str = "/data/pve-files/precious";

/// A test's node, agent and operator.
pub(crate) struct Life {
    pub(crate) machine: Machine,
    pub(crate) node: NodeName,
    key: EcdsaKeyPair,
    tasks: u128,
    /// Whether a network change is confirmed.
    pub(crate) confirmed: bool,
}

pub(crate) fn pi() -> Builder {
    Machine::builder("pi5l").memory(1 << 33)
}

pub(crate) fn spec() -> PoolSpec {
    let dataset = |name: &str, mountpoint| Dataset {
        name: name.to_owned(),
        mountpoint,
    };
    PoolSpec {
        name: PoolName::new("data").unwrap(),
        serials: vec![Serial::new(A).unwrap(), Serial::new(B).unwrap()],
        datasets: vec![
            dataset("data/pve-files", Mountpoint::At("/data/pve-files".to_owned())),
            dataset("data/vm", Mountpoint::None),
        ],
        arc_max_bytes: None,
        hostid: HostId(0x00ba_b10c),
        recorded_guid: None,
        recorded_serials: Vec::new(),
        comment: "heeler:k8sctl/pi5l".to_owned(),
    }
}

pub(crate) fn ensure(pool: PoolSpec) -> Task {
    Task::EnsurePool(EnsurePool {
        pool,
        live: Vec::new(),
        unread: Vec::new(),
    })
}

pub(crate) fn erase(serial: &str) -> Task {
    Task::EraseDisk(EraseDisk {
        serial: Serial::new(serial).unwrap(),
        live: Vec::new(),
    })
}

impl Life {
    pub(crate) fn of(machine: Machine) -> Self {
        let random = SystemRandom::new();
        let key = Consent::new_key(&random).unwrap();
        Self {
            machine,
            node: NodeName::new("pi5l").unwrap(),
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key, &random).unwrap(),
            tasks: 0,
            confirmed: true,
        }
    }

    pub(crate) fn blank() -> Self {
        Self::of(pi().blank(A).blank(B).build())
    }

    pub(crate) fn next_task(&mut self) -> TaskId {
        self.tasks += 1;
        TaskId::from_random(self.tasks)
    }

    pub(crate) async fn preview(&self, task: &Task) -> Vec<StepReport> {
        let host = CheckedMachine::new(self.machine.clone());
        let id = TaskId::from_random(0);
        let journal = Journal::open(&host, (&self.node, &id), &[], &[]).await;
        heeler_tasks::preview(&host, task, &journal.interrupted()).await
    }

    /// The acts that an operator would be shown.
    pub(crate) async fn acts(&self, task: &Task) -> Vec<Irreversible> {
        let reports = self.preview(task).await;
        let acts = reports.into_iter().flat_map(|report| report.ops);
        let acts = acts.filter_map(|op| op.irreversible);
        acts.map(|act| act.try_into().unwrap()).collect()
    }

    pub(crate) fn consent(&self, task: &TaskId, act: &Irreversible) -> Consent {
        let now = heeler_host::System::now_ms(&self.machine);
        let random = SystemRandom::new();
        Consent::sign(&self.key, "me", (task, &self.node), act.digest(), now, &random).unwrap()
    }

    /// An operator plans, consents to everything shown, and applies.
    pub(crate) async fn apply(&mut self, task: &Task) -> Outcome {
        self.disturbed(task, None).await
    }

    /// The same, with a loss at a point of the application, counted from its first.
    pub(crate) async fn disturbed(&mut self, task: &Task, loss: Option<(u64, Loss)>) -> Outcome {
        let id = self.next_task();
        let acts = self.acts(task).await;
        let consents: Vec<Consent> = acts.iter().map(|act| self.consent(&id, act)).collect();
        if let Some((point, loss)) = loss {
            self.machine.lose_at(self.machine.points() + point, loss);
        }
        self.carry_out(&id, task, &consents).await
    }

    /// The points of an undisturbed application of `task`, counted from its first, at which a loss makes a
    /// difference.
    pub(crate) async fn points(&mut self, task: &Task) -> Vec<Point> {
        let id = self.next_task();
        let acts = self.acts(task).await;
        let consents: Vec<Consent> = acts.iter().map(|act| self.consent(&id, act)).collect();
        let first = self.machine.points();
        let mut points = Vec::new();
        loop {
            let host = CheckedMachine::new(self.machine.clone());
            let run = async {
                let public = self.key.public_key().as_ref();
                let mut journal = Journal::open(&host, (&self.node, &id), &consents, public).await;
                let resumed = journal.in_hand();
                heeler_tasks::run(&host, &self.node, task, &mut journal, resumed).await
            };
            let outcome = tokio::select! {
                biased;
                _ = self.machine.lost() => None,
                outcome = run => Some(outcome),
            };
            points.extend(host.points());
            match outcome {
                None => self.machine.boot(),
                Some(outcome) => {
                    assert_eq!(outcome, Outcome::Done);
                    break;
                }
            }
        }
        let count = |point: Point| Point {
            at: point.at - first,
            ..point
        };
        points.into_iter().map(count).collect()
    }

    /// Runs until the task ends, however often the agent or the machine goes down.
    pub(crate) async fn carry_out(&self, id: &TaskId, task: &Task, consents: &[Consent]) -> Outcome {
        self.outlive(id, consents, Work::Task(task)).await
    }

    /// The same for a test's own steps.
    pub(crate) async fn steps(&self, id: &TaskId, steps: &[Box<dyn AnyStep>]) -> Outcome {
        self.outlive(id, &[], Work::Steps(steps)).await
    }

    async fn outlive(&self, id: &TaskId, consents: &[Consent], work: Work<'_>) -> Outcome {
        for _ in 0..8 {
            let host = CheckedMachine::new(self.machine.clone());
            let awaited = Awaited::default();
            let life = async {
                let names = (&self.node, id);
                let public = self.key.public_key().as_ref();
                let mut journal = Journal::open(&host, names, consents, public).await;
                journal.awaited = awaited.clone();
                // As the agent does: a finished task is not run again.
                if let Some(outcome) = journal.outcome() {
                    return outcome;
                }
                let resumed = journal.in_hand();
                match work {
                    Work::Task(task) => heeler_tasks::run(&host, &self.node, task, &mut journal, resumed).await,
                    Work::Steps(steps) => {
                        heeler_tasks::engine::carry_out(&host, &self.node, steps, &mut journal)
                            .await
                            .0
                    }
                }
            };
            tokio::select! {
                biased;
                loss = self.machine.lost() => match loss {
                    Loss::Power | Loss::Reboot => self.machine.boot(),
                    Loss::Agent | Loss::AgentAndItsWork => self.machine.restart_agent(),
                },
                outcome = life => return outcome,
                never = self.others(&awaited) => match never {},
            }
        }
        panic!("the task never comes to its end");
    }

    /// Does what systemd does, and what a coordinator does that confirms changes.
    async fn others(&self, awaited: &Awaited) -> std::convert::Infallible {
        let coordinator = async {
            loop {
                if self.confirmed
                    && awaited.is()
                    && let Ok(GuardState::Armed(armed)) = guard::state(&self.machine).await
                {
                    guard::confirm(&self.machine, &armed.id).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            never = self.machine.guardian() => never,
            never = coordinator => never,
        }
    }

    /// Time passes, and only systemd does anything.
    pub(crate) async fn wait(&self, seconds: u64) {
        let passes = async {
            for _ in 0..seconds {
                heeler_host::System::sleep(&self.machine, std::time::Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            biased;
            never = self.machine.guardian() => match never {},
            () = passes => {}
        }
    }

    /// The calls that may have changed something, without the journal's.
    pub(crate) fn changes(&self) -> Vec<String> {
        let changes = self.machine.log().into_iter().filter(|entry| entry.mutates);
        changes
            .map(|entry| entry.what)
            .filter(|what| !what.ends_with("/journal"))
            .collect()
    }

    /// Guid of the imported pool.
    pub(crate) async fn guid(&self) -> PoolGuid {
        let pools = heeler_tasks::storage::imported(&self.machine).await.unwrap();
        PoolGuid(pools.iter().find(|pool| pool.name == "data").unwrap().guid)
    }

    /// The task with the pool on record, as a coordinator sends it after the creation.
    pub(crate) async fn recorded(&self) -> PoolSpec {
        let spec = spec();
        PoolSpec {
            recorded_guid: Some(self.guid().await),
            recorded_serials: spec.serials.clone(),
            ..spec
        }
    }

    /// A node with its pool, and a file in it.
    pub(crate) async fn with_pool() -> Self {
        let mut life = Self::blank();
        assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
        life.machine.put_file(FILE, b"precious").unwrap();
        life
    }
}

#[derive(Clone, Copy)]
enum Work<'a> {
    Task(&'a Task),
    Steps(&'a [Box<dyn AnyStep>]),
}

/// Found, why and next of a blocked task.
#[track_caller]
pub(crate) fn blocked(outcome: Outcome) -> (String, String, String) {
    match outcome {
        Outcome::Blocked { reason, .. } => {
            let advice = reason.advice();
            (reason.found, reason.why, advice)
        }
        other => panic!("should have stopped: {other:?}"),
    }
}
