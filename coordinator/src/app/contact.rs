use heeler_proto::Word as _;
use heeler_proto::{
    NodeName,
    v1::{self, EventKind},
};
use heeler_store::{Node, NodeState, OperatorRecord, Stage, Token, Tx};

use super::fleet_trust::{ids, statements};
use super::{App, AppError, Result, Who, hex, nodes, random_bits, words};
use crate::pki::{pem, sha256};

/// How long a join token is valid: ten minutes.
pub(super) const TOKEN_MS: u64 = 10 * 60 * 1000;

impl App {
    /// What `heeler node add` needs before it connects to a node. Fails when the name is not valid.
    pub async fn begin_contact(&self, name: &str) -> Result<v1::BeginContactReply> {
        let name = NodeName::new(name)?;
        let mut tx = self.store.read().await?;
        let node = tx.node(name.as_str()).await?;
        let records = tx.operator_records().await?.into_iter();
        let (operators, revoked): (Vec<_>, Vec<_>) = records.partition(|record| record.revoked_at_ms == 0);
        let past = past(&mut tx, revoked).await?;
        Ok(v1::BeginContactReply {
            host_key: node.as_ref().map(|node| node.host_key.clone()).unwrap_or_default(),
            node: node.map(|node| nodes::info(&self.sessions, node)).transpose()?,
            ca_certificate: self.authorities.now().ca.certificate_pem().to_owned(),
            addresses: self.reach.addresses.clone(),
            enrolment_port: u32::from(self.reach.enrolment_port),
            operators: operators.into_iter().map(key).collect(),
            past: Some(past),
        })
    }

    /// Makes a join token for the key that was read over SSH. It is valid once, for ten minutes. Fails when the node is
    /// known with another key and `reflashed` is not set, or with this key and it is revoked.
    pub async fn create_token(&self, request: v1::CreateTokenRequest, who: &Who) -> Result<v1::CreateTokenReply> {
        let name = NodeName::new(&request.node)?;
        let key_sha256 = request.key_sha256.as_slice().try_into();
        let key_sha256 =
            key_sha256.map_err(|_| AppError::Invalid("key_sha256 is not valid: it must have 32 bytes".into()))?;
        let now_ms = self.now_ms();
        let mut tx = self.store.write().await?;
        let mut node = match tx.node(name.as_str()).await? {
            Some(node) => node,
            None => new_node(&mut tx, &name).await?,
        };
        check_known(&node, &key_sha256, &request)?;
        node.host_key.clone_from(&request.host_key);
        // `--reflashed` with the same key means that the card was moved on purpose: the next board that connects goes
        // on record.
        if request.reflashed && node.key_sha256 == Some(key_sha256) {
            node.hardware_serial.clear();
        }
        tx.set_node(&node).await?;
        let token = hex(&[random_bits()?.to_be_bytes(), random_bits()?.to_be_bytes()].concat());
        let expires_at_ms = now_ms + TOKEN_MS;
        let (sha256, node) = (sha256(token.as_bytes()), name.to_string());
        let made = Token {
            sha256,
            node,
            key_sha256,
            expires_at_ms,
            used_at_ms: None,
        };
        tx.add_token(&made, now_ms).await?;
        let detail = format!("join token for the key {}", hex(&key_sha256));
        self.audit(&mut tx, &who.name, "node add", name.as_str(), &detail)
            .await?;
        let text = "join token made, good for 10 minutes";
        self.save_and_tell(tx, EventKind::Token, name.as_str(), text).await?;
        Ok(v1::CreateTokenReply { token, expires_at_ms })
    }
}

fn key(operator: OperatorRecord) -> v1::OperatorKey {
    v1::OperatorKey {
        name: operator.name,
        public_key_pem: operator.public_key_pem,
    }
}

/// What operators have signed and revoked so far. The node stores it, so that an old statement played again cannot
/// bring back a revoked operator.
async fn past(tx: &mut Tx, revoked: Vec<OperatorRecord>) -> Result<v1::Past> {
    let statements = ids(&statements(tx).await?)?;
    let authorities = tx.authorities().await?;
    let at = |stage: Stage| authorities.iter().filter(move |authority| authority.stage == stage);
    Ok(v1::Past {
        statements: statements.iter().map(|id| id.to_vec()).collect(),
        revoked: revoked.into_iter().map(key).collect(),
        dropped: at(Stage::Dropped).map(|known| known.sha256.to_vec()).collect(),
        announced: at(Stage::Next)
            .map(|known| pem("CERTIFICATE", &known.certificate))
            .collect(),
    })
}

/// Adds the node with a random hostid. A node that was removed keeps its hostid instead, and imports its pool without
/// force.
async fn new_node(tx: &mut Tx, name: &NodeName) -> Result<Node> {
    let taken: Vec<_> = tx.nodes().await?.into_iter().map(|node| node.hostid).collect();
    let hostid = loop {
        let bits = random_bits()?.to_be_bytes();
        let hostid = hex(&bits[..4]);
        if hostid != "00000000" && !taken.contains(&hostid) {
            break hostid;
        }
    };
    tx.add_node(name.as_str(), &hostid).await?;
    tx.node(name.as_str())
        .await?
        .ok_or(AppError::Stored { what: "a new node" })
}

fn check_known(node: &Node, key: &[u8; 32], request: &v1::CreateTokenRequest) -> Result<()> {
    let name = &node.name;
    if node.state.is_shut_out() && node.key_sha256 == Some(*key) {
        let way = match node.state {
            NodeState::Released => format!("On the node: sudo heeler-agent release; then: heeler node add {name}"),
            _ => nodes::way_back(node),
        };
        return Err(AppError::Refused(format!(
            "{name} was {}, and this is its revoked key. {way}",
            words::node_state(node.state).word()
        )));
    }
    // A released agent deleted its key, so another key is expected.
    let other_key = node.state != NodeState::Released && node.key_sha256.is_some_and(|known| known != *key);
    let other_host = !node.host_key.is_empty() && node.host_key != request.host_key;
    if (other_key || other_host) && !request.reflashed {
        let what = if other_host { "SSH host key" } else { "agent key" };
        return Err(AppError::Refused(format!(
            "{name} has another {what} on record. If you flashed its SD card again: heeler node add {name} \
             --reflashed. If not, another machine may answer at its address"
        )));
    }
    Ok(())
}
