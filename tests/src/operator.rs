use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use heeler_coordinator::state::StateFolder;
use heeler_proto::v1::operator_client::OperatorClient;
use heeler_proto::{Consent, Irreversible, NodeName, TaskId, v1};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::{CLUSTER, ME};

/// An operator's connection, with the key to consent.
pub struct Operator {
    client: OperatorClient<Channel>,
    /// The key that signs consents.
    pub key: EcdsaKeyPair,
}

impl Operator {
    pub(crate) async fn new(state: &StateFolder) -> Self {
        let endpoint = Endpoint::from_shared(format!("unix://{}", state.socket().display())).unwrap();
        let client = OperatorClient::new(endpoint.connect().await.unwrap());
        let pem = std::fs::read(state.operator(ME).join("key.pem")).unwrap();
        Self::with(client, &pem)
    }

    /// An operator on an open connection.
    pub(crate) fn with(client: OperatorClient<Channel>, pem: &[u8]) -> Self {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        let der = der.secret_pkcs8_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new()).unwrap();
        Self { client, key }
    }

    /// Makes a join token for that name and key.
    pub async fn token(&mut self, node: &str, key_sha256: [u8; 32]) -> String {
        let request = v1::CreateTokenRequest {
            node: node.into(),
            key_sha256: key_sha256.to_vec(),
            host_key: "ssh-ed25519 SHA256:x".into(),
            reflashed: false,
        };
        self.create_token(request).await.unwrap().into_inner().token
    }

    /// Plans `text` as heeler.toml, based on revision `parent`.
    pub async fn plan_text(&mut self, text: &str, parent: u64) -> v1::PlanReply {
        let request = v1::PlanRequest {
            text: text.into(),
            parent,
            ..v1::PlanRequest::default()
        };
        self.plan(request).await.unwrap().into_inner()
    }

    /// Applies a plan with all consents that it needs.
    pub async fn apply_plan(&mut self, plan: &v1::PlanReply, now_ms: u64) -> Result<v1::ApplyReply, tonic::Status> {
        let consents = plan
            .nodes
            .iter()
            .flat_map(|node| consents(&self.key, node, now_ms))
            .collect();
        let plan_id = plan.plan_id.clone();
        let request = v1::ApplyRequest {
            plan_id,
            consents,
            ..v1::ApplyRequest::default()
        };
        self.apply(request).await.map(tonic::Response::into_inner)
    }

    /// Stored events after `after`, then new ones.
    pub async fn follow(&mut self, after: u64) -> Streaming<v1::FleetEvent> {
        let request = v1::EventsRequest {
            after,
            follow: true,
            ..v1::EventsRequest::default()
        };
        self.events(request).await.unwrap().into_inner()
    }

    /// Waits for an event of that kind and node, including stored ones.
    pub async fn wait_for(&mut self, kind: v1::EventKind, node: &str) -> v1::FleetEvent {
        self.wait_after(0, kind, node).await
    }

    /// The same, after event number `after`.
    pub async fn wait_after(&mut self, after: u64, kind: v1::EventKind, node: &str) -> v1::FleetEvent {
        let mut events = self.follow(after).await;
        loop {
            let event = events.message().await.unwrap().unwrap();
            if event.kind() == kind && event.node == node {
                return event;
            }
        }
    }
}

impl Deref for Operator {
    type Target = OperatorClient<Channel>;
    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl DerefMut for Operator {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.client
    }
}

/// Consents to every operation in a node's plan that cannot be undone.
#[must_use]
pub fn consents(key: &EcdsaKeyPair, plan: &v1::NodePlan, now_ms: u64) -> Vec<v1::Consent> {
    let node = NodeName::new(&plan.node).unwrap();
    let mut consents = Vec::new();
    for step in &plan.steps {
        let task = &plan.tasks[step.task as usize].task_id;
        // A blocked task is not started and has no id.
        let Ok(task) = TaskId::new(task) else { continue };
        for act in step.ops.iter().filter_map(|op| op.irreversible.clone()) {
            let act = Irreversible::try_from(act).unwrap();
            let consent = Consent::sign(key, ME, (&task, &node), act.digest(), now_ms, &SystemRandom::new());
            consents.push(consent.unwrap().into());
        }
    }
    consents
}

/// A heeler.toml with these nodes and their disks.
#[must_use]
pub fn config(nodes: &[(&str, &[&str])]) -> String {
    let mut text = format!("[cluster]\nname = \"{CLUSTER}\"\n\n[coordinator]\naddresses = [\"10.10.80.1:7443\"]\n");
    for (index, (name, disks)) in nodes.iter().enumerate() {
        let _ = writeln!(text, "\n[nodes.{name}]\naddress = \"10.10.80.{}\"", 50 + index);
        if !disks.is_empty() {
            let _ = writeln!(text, "disks = {disks:?}");
        }
    }
    text
}
