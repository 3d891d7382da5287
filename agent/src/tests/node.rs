use std::path::Path;
use std::sync::Arc;

use heeler_host::sim::{Loss, Machine};
use heeler_host::{Content, File, System};
use heeler_proto::v1::{Assignment, PreviewRequest, Task, reply::Answer, request::Ask};
use heeler_proto::{
    Consent, Dataset, EnsurePool, HostId, Irreversible, Mountpoint, NodeName, PoolName, PoolSpec, Serial, TaskId, v1,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use tokio::task::JoinSet;

use super::coordinator::{Coordinator, Session};
use crate::{Agent, Config, Notify};

pub const TOKEN: &str = "/etc/heeler/token";

/// A simulated machine after first contact, and an operator who may consent on it.
pub struct Node {
    pub machine: Machine,
    operator: EcdsaKeyPair,
    agent: JoinSet<()>,
}

impl Node {
    /// A node with two blank disks, A and B.
    pub async fn added_by(coordinator: &Coordinator) -> Self {
        let machine = Machine::builder("a").blank("A").blank("B").build();
        let random = SystemRandom::new();
        let der = Consent::new_key(&random).unwrap();
        let pem = rcgen::KeyPair::try_from(der.as_slice()).unwrap().public_key_pem();
        let node = Self {
            machine,
            operator: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap(),
            agent: JoinSet::new(),
        };
        node.put("/etc/heeler/agent.json", &coordinator.config("a", &pem)).await;
        node.put(TOKEN, "token\n").await;
        node
    }

    pub async fn put(&self, path: &str, text: &str) {
        let file = File {
            path: path.into(),
            content: Content::Plain(text.as_bytes().to_vec()),
            mode: 0o600,
        };
        self.machine.write(&file).await.unwrap();
    }

    pub async fn text(&self, path: &str) -> Option<String> {
        let bytes = self.machine.read(Path::new(path)).await.ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    /// Runs the agent until it is stopped; restarts it whenever the machine loses it.
    pub fn start(&mut self) {
        self.agent.spawn(run_for_ever(self.machine.clone()));
    }

    /// Ends the agent as SIGKILL does.
    pub async fn kill(&mut self) {
        self.agent.shutdown().await;
    }

    /// An operator's consent to this act, signed now by the machine's clock.
    pub fn consent(&self, task: &TaskId, act: &Irreversible) -> Consent {
        let node = NodeName::new("a").unwrap();
        let now_ms = self.machine.now_ms();
        Consent::sign(
            &self.operator,
            "me",
            (task, &node),
            act.digest(),
            now_ms,
            &SystemRandom::new(),
        )
        .unwrap()
    }

    /// The task EnsurePool as assignment `counter`, with the consent that its preview needs.
    pub async fn ensure_pool(&self, session: &mut Session, counter: u64) -> Assignment {
        let id = TaskId::from_random(counter.into());
        let task = ensure_pool();
        let request = PreviewRequest {
            tasks: vec![task.clone()],
        };
        let Some(Answer::Preview(preview)) = session.ask(Ask::Preview(request)).await.answer else {
            panic!("no preview");
        };
        let ops = preview.steps.into_iter().flat_map(|step| step.ops);
        let acts = ops.filter_map(|op| op.irreversible);
        let consents = acts.map(|act| self.consent(&id, &act.try_into().unwrap()).into());
        Assignment {
            task_id: id.to_string(),
            generation: Some(v1::Generation { epoch: 1, counter }),
            consents: consents.collect(),
            task: Some(task),
            revision: 1,
        }
    }
}

async fn run_for_ever(machine: Machine) {
    loop {
        let host: Arc<dyn System> = Arc::new(machine.clone());
        let life = async {
            let config = Config::read(host.as_ref()).await.unwrap();
            let agent = Agent::new(config, host.clone(), Notify::default()).await.unwrap();
            agent.run(std::future::pending()).await;
        };
        let loss = tokio::select! {
            () = life => unreachable!("nobody stopped it"),
            loss = machine.lost() => loss,
        };
        match loss {
            Loss::Power | Loss::Reboot => machine.boot(),
            Loss::Agent | Loss::AgentAndItsWork => machine.restart_agent(),
        }
    }
}

fn ensure_pool() -> Task {
    let pool = PoolSpec {
        name: PoolName::new("data").unwrap(),
        serials: vec![Serial::new("A").unwrap(), Serial::new("B").unwrap()],
        datasets: vec![Dataset {
            name: "data/pve-files".into(),
            mountpoint: Mountpoint::At("/data/pve-files".into()),
        }],
        arc_max_bytes: None,
        hostid: HostId(0x0bad_cafe),
        recorded_guid: None,
        recorded_serials: vec![],
        comment: "heeler:test/a".into(),
    };
    let (live, unread) = (vec![], vec![]);
    heeler_proto::Task::EnsurePool(EnsurePool { pool, live, unread }).into()
}
