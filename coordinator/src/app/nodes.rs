use std::time::Duration;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, EventKind};
use heeler_store::{Node, NodeState, Tx};

use super::{App, AppError, Result, Who, drift, hex, ledger, node_name, pause, share, tasks, words};
use crate::known::{short, unknown};
use crate::pki::Peer;
use crate::sessions::Sessions;

/// How long `heeler node discover` waits for the node.
const FACTS: Duration = Duration::from_secs(180);
/// Most tasks shown with a node.
const TASKS: u32 = 10;

/// The command, or the steps, that bring a revoked or released node back.
pub(super) fn way_back(node: &Node) -> String {
    match node.state {
        NodeState::Released => format!("heeler node add {}", node.name),
        _ => format!(
            "flash its SD card again (if the coordinator runs on it, first: heeler backup create FILE, and copy FILE \
             to another machine), then: heeler node add {} --reflashed",
            node.name
        ),
    }
}

impl App {
    /// Every node but removed ones, by name. Facts beyond a node's share of the reply lose their lists. Fails when the
    /// database cannot be read.
    pub async fn nodes(&self) -> Result<Vec<v1::NodeInfo>> {
        let mut tx = self.store.read().await?;
        let now_ms = self.now_ms();
        let mut pauses = pause::all(&mut tx, now_ms).await?;
        let mut infos = Vec::new();
        let nodes = tx.nodes().await?;
        let share = share::of_list(nodes.len());
        for node in nodes {
            let pause = pauses.remove(&node.name).or(pause::on_node(&node, now_ms)?);
            let info = info(&self.sessions, node)?;
            infos.push(v1::NodeInfo {
                pause,
                facts: info.facts.map(|facts| share::within(share, facts)),
                ..info
            });
        }
        Ok(infos)
    }

    /// The line for `systemctl status`: how many nodes are connected, of how many. Fails when the database cannot be
    /// read.
    pub async fn connected_summary(&self) -> Result<String> {
        let nodes = self.store.read().await?.nodes().await?.len();
        Ok(format!("{} of {nodes} nodes are connected", self.sessions.all().len()))
    }

    /// One node with its newest tasks and its drift. Fails when no node has that name.
    pub async fn node(&self, name: &str) -> Result<v1::ShowNodeReply> {
        let mut tx = self.store.read().await?;
        let node = known(&mut tx, name).await?;
        let tasks = tx.tasks_of(&node.name, TASKS).await?;
        let pause = pause::of(&mut tx, &node.name, self.now_ms()).await?;
        Ok(v1::ShowNodeReply {
            node: Some(v1::NodeInfo {
                pause,
                ..info(&self.sessions, node)?
            }),
            tasks: tasks::listed(tasks)?,
            drift: drift::of(&mut tx, name).await?,
        })
    }

    /// Makes a node look at itself now. Waits up to 60 s. Fails when the node is not connected, is shut out, or does
    /// not answer in time.
    pub async fn discover(&self, name: &str) -> Result<v1::Facts> {
        let node = known(&mut self.store.read().await?, name).await?;
        if node.state.is_shut_out() {
            return Err(AppError::Refused(format!(
                "{name} is {}: it cannot connect. To take it back: {}",
                words::node_state(node.state).word(),
                way_back(&node)
            )));
        }
        let session = self.sessions.of(&node_name(&node.name)?);
        let session = session.ok_or_else(|| {
            AppError::Refused(format!(
                "{name} is not connected. Is its agent up? On the node: systemctl status heeler-agent"
            ))
        })?;
        let answer = session.ask(v1::FactsRequest::default(), FACTS).await;
        answer.map_err(|why| AppError::Refused(format!("{name} could not examine itself: {why}")))
    }

    /// Revokes a node's key for good and closes its session. Returns whether it had one. Fails when no node has that
    /// name.
    pub async fn revoke(&self, name: &str, who: &Who) -> Result<bool> {
        let mut tx = self.store.write().await?;
        let mut node = known(&mut tx, name).await?;
        node.state = NodeState::Revoked;
        tx.set_node(&node).await?;
        // An unused join token would let the node in again.
        tx.forget_tokens(&node.name).await?;
        let text = "its key is revoked";
        self.audit(&mut tx, &who.name, "node revoked", name, text).await?;
        self.save_and_tell(tx, EventKind::Revoked, name, text).await?;
        let session = self.sessions.of(&node_name(&node.name)?);
        if let Some(session) = &session {
            session.close("revoked");
        }
        if let Some(peer) = peer(&node)? {
            self.node_keys.shut_out(&peer);
        }
        Ok(session.is_some())
    }
}

pub(super) async fn known(tx: &mut Tx, name: &str) -> Result<Node> {
    if let Some(node) = tx.node(name).await? {
        return Ok(node);
    }
    let all = tx.nodes().await?;
    let what = format!("no node {} is known", short(name));
    let names = all.iter().map(|node| node.name.as_str());
    Err(unknown(what, name, names, "heeler node list").into())
}

/// The node's name with the key on record; None before enrolment.
pub(super) fn peer(node: &Node) -> Result<Option<Peer>> {
    let name = node_name(&node.name)?;
    Ok(node.key_sha256.map(|key_sha256| Peer { node: name, key_sha256 }))
}

pub(super) fn info(sessions: &Sessions, node: Node) -> Result<v1::NodeInfo> {
    Ok(v1::NodeInfo {
        connected: sessions.of(&node_name(&node.name)?).is_some(),
        facts: ledger::facts_of(&node)?,
        node: node.name,
        state: words::node_state(node.state).into(),
        last_seen_ms: node.last_seen_ms,
        certificate_expires_ms: node.certificate_expires_ms,
        key_sha256: node.key_sha256.map(|key| hex(&key)).unwrap_or_default(),
        host_key: node.host_key,
        hardware_serial: node.hardware_serial,
        hostid: node.hostid,
        pause: None,
    })
}
