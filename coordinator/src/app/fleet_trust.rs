use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heeler_proto::{
    Statement, TrustChange, statements_sha256,
    v1::{self, AlarmKind},
};
use heeler_store::{Digest, NodeTrust, Tx};
use prost::Message as _;
use tokio::sync::watch;

use super::{App, AppError, Result, decoded};
use crate::pki::{NODE_LIFETIME_MS, key_sha256, public_point};
use crate::sessions::Session;

/// What operators have signed, and what each node last reported about it. In memory, because every hello needs it.
pub(super) struct FleetTrust {
    statements: Mutex<Arc<WireStatements>>,
    nodes: Mutex<HashMap<String, NodeTrust>>,
    keys: OperatorKeys,
}

/// All statements, in the form that nodes receive.
#[derive(Default)]
pub(super) struct WireStatements {
    pub(super) statements: Vec<v1::Statement>,
    pub(super) sha256: Digest,
}

/// Keys of the operators who are not revoked: SHA-256 → name. An open connection is checked against it until it ends.
#[derive(Debug, Clone)]
pub struct OperatorKeys(watch::Sender<Arc<HashMap<Digest, String>>>);

impl OperatorKeys {
    /// Name of the operator with that key; None when there is none or they are revoked.
    pub fn name_of(&self, key: &Digest) -> Option<String> {
        self.0.borrow().get(key).cloned()
    }

    /// Waits until the key is revoked.
    pub async fn gone(self, key: Digest) {
        let mut keys = self.0.subscribe();
        // `self` owns the sender, so the wait cannot fail.
        drop(keys.wait_for(|keys| !keys.contains_key(&key)).await);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All statements that operators have signed, in order of arrival.
pub(super) async fn statements(tx: &mut Tx) -> Result<Vec<v1::Statement>> {
    let bodies = tx.statements().await?.into_iter();
    bodies.map(|body| decoded("a statement", &body)).collect()
}

pub(super) fn ids(statements: &[v1::Statement]) -> Result<Vec<Digest>> {
    let id = |wire: &v1::Statement| Ok(Statement::try_from(wire.clone())?.id());
    statements.iter().map(id).collect()
}

impl FleetTrust {
    pub(super) async fn read(tx: &mut Tx) -> Result<Self> {
        let nodes = tx.node_trust().await?.into_iter();
        let trust = Self {
            statements: Mutex::default(),
            nodes: Mutex::new(nodes.map(|trust| (trust.node.clone(), trust)).collect()),
            keys: OperatorKeys(watch::Sender::default()),
        };
        trust.read_again(tx).await?;
        Ok(trust)
    }

    /// Reads statements and keys again after a change in the database.
    pub(super) async fn read_again(&self, tx: &mut Tx) -> Result<()> {
        let statements = statements(tx).await?;
        let keys = tx.operators().await?.into_iter();
        let keys = keys.filter_map(|operator| Some((key_sha256(&operator.public_key_pem)?, operator.name)));
        self.keys.0.send_replace(Arc::new(keys.collect()));
        *lock(&self.statements) = Arc::new(WireStatements {
            sha256: statements_sha256(&ids(&statements)?),
            statements,
        });
        Ok(())
    }

    pub(super) fn wire_statements(&self) -> Arc<WireStatements> {
        lock(&self.statements).clone()
    }

    pub(super) fn of(&self, node: &str) -> Option<NodeTrust> {
        lock(&self.nodes).get(node).cloned()
    }
}

impl App {
    /// The keys whose connections are accepted.
    pub fn operator_keys(&self) -> OperatorKeys {
        self.trust.keys.clone()
    }

    /// Stores what a node reports about the keys it trusts, and returns the digest of the statements that it knows.
    /// Fails when the report cannot be read or stored.
    pub(super) async fn keep_trust(&self, tx: &mut Tx, session: &Session, reply: v1::TrustReply) -> Result<Digest> {
        let unreadable = || AppError::Invalid("the keys that the node trusts cannot be read".to_owned());
        let digest = |bytes: Vec<u8>| Digest::try_from(bytes).map_err(|_| unreadable());
        let trust = NodeTrust {
            node: session.node.to_string(),
            statements_sha256: digest(reply.statements_sha256)?,
            authorities: reply
                .authorities
                .into_iter()
                // More than any rotation needs; a bound for a node that lies.
                .take(16)
                .map(digest)
                .collect::<Result<_, _>>()?,
        };
        if !reply.refused.is_empty() {
            let why: String = reply.refused.join("; ").chars().take(300).collect();
            let text =
                format!("does not trust all operators of the fleet: {why}. First contact again: heeler node add");
            tx.add_event(&self.alarm((AlarmKind::StatementRefused, ""), session.node.as_str(), text))
                .await?;
        }
        let knows = trust.statements_sha256;
        if self.trust.of(&trust.node).as_ref() != Some(&trust) {
            tx.set_node_trust(&trust).await?;
            lock(&self.trust.nodes).insert(trust.node.clone(), trust);
        }
        Ok(knows)
    }

    /// Handles a node's answer to statements that were sent to it. Those that it did not accept are not sent again over
    /// this session. Fails when the answer cannot be read or stored.
    pub async fn trust_reply(&self, session: &Session, reply: v1::TrustReply) -> Result<()> {
        let mut tx = self.store.write().await?;
        self.keep_trust(&mut tx, session, reply).await?;
        let last = tx.added_event();
        tx.save().await?;
        self.feed.stored(last);
        Ok(())
    }

    /// Sends the node the statements that it lacks, and whether it must renew its certificate.
    pub(super) fn tell_trust(&self, session: &Session, knows: &Digest, certificate_expires_ms: u64) {
        let (wire, renew) = (self.trust.wire_statements(), self.must_renew(certificate_expires_ms));
        if wire.sha256 != *knows || renew {
            session.tell_trust(v1::Trust {
                statements: wire.statements.clone(),
                renew,
            });
        }
    }

    /// Whether an authority that is about to be dropped signed the certificate.
    pub(super) fn must_renew(&self, certificate_expires_ms: u64) -> bool {
        let in_force = self.authorities.now();
        let issued_ms = certificate_expires_ms.saturating_sub(NODE_LIFETIME_MS);
        in_force.taken.len() > 1 && certificate_expires_ms > 0 && issued_ms < in_force.since_ms
    }

    /// Sends every connected node the statements that it lacks.
    pub(super) async fn tell_all(&self) -> Result<()> {
        let nodes = self.store.read().await?.nodes().await?;
        for session in self.sessions.all() {
            let node = nodes.iter().find(|node| node.name == session.node.as_str());
            let knows = self
                .trust
                .of(session.node.as_str())
                .map(|trust| trust.statements_sha256);
            let expires_ms = node.map_or(0, |node| node.certificate_expires_ms);
            self.tell_trust(&session, &knows.unwrap_or_default(), expires_ms);
        }
        Ok(())
    }

    /// Names of enrolled nodes that lack a statement.
    pub(super) async fn behind(&self) -> Result<Vec<String>> {
        let wire = self.trust.wire_statements();
        let nodes = self.store.read().await?.nodes().await?.into_iter();
        let enrolled = nodes.filter(|node| node.state == heeler_store::NodeState::Enrolled);
        let knows = |name: &str| {
            self.trust
                .of(name)
                .is_some_and(|trust| trust.statements_sha256 == wire.sha256)
        };
        Ok(enrolled.map(|node| node.name).filter(|name| !knows(name)).collect())
    }

    /// Checks a statement against the operators on record, stores it as it arrived, and returns its content.
    pub(super) async fn take_statement(
        &self,
        tx: &mut Tx,
        wire: Option<v1::Statement>,
    ) -> Result<(Statement, TrustChange)> {
        let wire = wire.ok_or_else(|| AppError::Invalid("an operator's signature is missing".to_owned()))?;
        let statement = Statement::try_from(wire.clone())?;
        if statement.cluster != self.cluster {
            let found = &statement.cluster;
            return Err(AppError::Invalid(format!(
                "this is the cluster {}, not {found:?}",
                self.cluster
            )));
        }
        let operators = tx.operators().await?;
        let signer = operators.iter().find(|known| known.name == statement.operator.as_str());
        let point = signer.and_then(|signer| public_point(&signer.public_key_pem));
        if !point.is_some_and(|point| statement.is_signed_by(&point)) {
            return Err(AppError::Denied(format!(
                "the signature is not from an operator of this cluster ({}). See them: heeler operator list",
                statement.operator
            )));
        }
        tx.add_statement(&statement.id(), &wire.encode_to_vec()).await?;
        let change = statement.change.clone();
        Ok((statement, change))
    }
}
