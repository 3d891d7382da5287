use std::net::IpAddr;

use heeler_proto::NodeName;
use heeler_proto::v1::{AlarmKind, EventKind};
use heeler_store::{Certificate, Digest, Node, NodeState, TaskState, Tx};

use super::contact::TOKEN_MS;
use super::who::COORDINATOR;
use super::{App, AppError, Result, hex, nodes, words};
use crate::pki::{Issued, NodeRequest, Peer, REJOIN_MS, issue_node, sha256};

/// Most characters of a board's serial number in an alarm.
const BOARD: usize = 64;

/// A request for a node's certificate.
pub struct Enrolment {
    /// Join token. Empty: the node was enrolled before and uses the same key.
    pub token: String,
    /// The node's name, as it claims.
    pub node: String,
    /// Certificate signing request, DER.
    pub csr: Vec<u8>,
    /// Serial number of the board; empty when it has none.
    pub hardware_serial: String,
    pub from: IpAddr,
}

impl App {
    /// Enrols a node and returns its certificate chain (PEM). The token is marked as used in the transaction that
    /// stores the certificate. Fails with [`AppError::Throttled`] after too many attempts from one address,
    /// [`AppError::Denied`] with the reason otherwise.
    pub async fn enrol(&self, request: Enrolment) -> Result<String> {
        let now_ms = self.now_ms();
        if !self.enrolments.allows(&throttle_address(request.from), now_ms) {
            return Err(AppError::Throttled);
        }
        let name = NodeName::new(&request.node)?;
        let csr = NodeRequest::parse(&request.csr).map_err(|error| AppError::Denied(error.to_string()))?;
        let mut tx = self.store.write().await?;
        let mut node = if request.token.is_empty() {
            may_rejoin(&mut tx, &name, &csr.key_sha256, now_ms).await?
        } else {
            use_token(&mut tx, &request.token, (&name, &csr.key_sha256), now_ms).await?
        };
        let other_key = node.key_sha256 != Some(csr.key_sha256);
        let old = nodes::peer(&node)?.filter(|_| other_key);
        if other_key {
            forget_old_machine(&mut tx, &mut node, now_ms).await?;
        }
        let issued = issue_node(&self.authorities.now().ca, &csr, &name, now_ms)?;
        node.state = NodeState::Enrolled;
        node.key_sha256 = Some(csr.key_sha256);
        let board = request.hardware_serial;
        let alarm = match other_key {
            true => {
                node.hardware_serial.clone_from(&board);
                None
            }
            false => see_board(&mut node, &board),
        };
        node.certificate_expires_ms = issued.expires_at_ms;
        tx.set_node(&node).await?;
        tx.add_certificate(&certificate(&name, &csr, &issued, now_ms)).await?;
        if let Some(alarm) = alarm {
            tx.add_event(&self.alarm((AlarmKind::BoardChanged, &board), name.as_str(), alarm))
                .await?;
        }
        let text = if request.token.is_empty() {
            "enrolled again with the same key"
        } else {
            "enrolled"
        };
        // Without a token the node only renews what it had: no action of a person, so no entry in the audit log.
        if !request.token.is_empty() {
            let detail = format!("{text}, key {}", hex(&csr.key_sha256));
            self.audit(&mut tx, COORDINATOR, "enrolled", name.as_str(), &detail)
                .await?;
        }
        self.save_and_tell(tx, EventKind::Enrolled, name.as_str(), text).await?;
        if let Some(old) = old {
            self.node_keys.shut_out(&old);
        }
        self.node_keys.admit(Peer {
            key_sha256: csr.key_sha256,
            node: name.clone(),
        });
        if other_key && let Some(session) = self.sessions.of(&name) {
            session.close("the node was enrolled again with another key");
        }
        Ok(issued.chain)
    }
}

/// Compares the board of a node, whose key is on record, with the board on record. Stores the first one; returns the
/// text of an alarm for another one.
pub(super) fn see_board(node: &mut Node, board: &str) -> Option<String> {
    if node.hardware_serial.is_empty() {
        board.clone_into(&mut node.hardware_serial);
        return None;
    }
    let brief = |text: &str| text.chars().take(BOARD).collect::<String>();
    (board != node.hardware_serial).then(|| {
        let (name, board, known) = (&node.name, brief(board), brief(&node.hardware_serial));
        format!(
            "comes from another board: {board:?}, not {known:?}. If its SD card was copied: heeler node revoke {name} \
             revokes both. If you moved the card to another board: heeler node add {name} --reflashed"
        )
    })
}

/// Throttles an IPv6 caller by its /64: a host may use any address of its /64 (RFC 4291, 2.5.1).
fn throttle_address(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(from) => IpAddr::V6((u128::from(from) >> 64 << 64).into()),
    }
}

pub(super) fn certificate(node: &NodeName, request: &NodeRequest, issued: &Issued, now_ms: u64) -> Certificate {
    Certificate {
        serial: issued.serial.clone(),
        node: node.to_string(),
        key_sha256: request.key_sha256,
        issued_at_ms: now_ms,
        expires_at_ms: issued.expires_at_ms,
    }
}

async fn use_token(tx: &mut Tx, text: &str, (name, key): (&NodeName, &Digest), now_ms: u64) -> Result<Node> {
    let denied = |why: &str| AppError::Denied(format!("{why}. Get a fresh one: heeler node add {name}"));
    let token = tx
        .token(&sha256(text.as_bytes()))
        .await?
        .ok_or_else(|| denied("the token is not known here"))?;
    if token.node != name.as_str() {
        return Err(denied("the token is for another node"));
    }
    if token.key_sha256 != *key {
        return Err(denied("the token is for another key"));
    }
    if token.used_at_ms.is_some() {
        return Err(denied("the token was used before"));
    }
    // A token that is valid for longer than ten minutes was made before the clock went back.
    if now_ms >= token.expires_at_ms || token.expires_at_ms > now_ms.saturating_add(TOKEN_MS) {
        return Err(denied("the token has expired"));
    }
    tx.use_token(&token.sha256, now_ms).await?;
    tx.node(name.as_str()).await?.ok_or(AppError::Stored {
        what: "the node of a token",
    })
}

async fn may_rejoin(tx: &mut Tx, name: &NodeName, key: &Digest, now_ms: u64) -> Result<Node> {
    let denied = |why: &str| AppError::Denied(format!("{why}: heeler node add {name}"));
    let node = tx
        .node(name.as_str())
        .await?
        .ok_or_else(|| denied("the node is not known here"))?;
    match node.state {
        NodeState::Revoked => Err(denied("the node is revoked")),
        NodeState::Released => Err(denied("the node is released")),
        NodeState::New => Err(denied("the node was never enrolled")),
        NodeState::Enrolled if node.key_sha256 != Some(*key) => Err(denied("the node has another key on record")),
        NodeState::Enrolled if now_ms > node.certificate_expires_ms.saturating_add(REJOIN_MS) => {
            Err(denied("the node has been offline for more than 400 days"))
        }
        NodeState::Enrolled => Ok(node),
    }
}

/// Another key means another machine under this name: its journal begins at 1, and it has none of the open tasks.
async fn forget_old_machine(tx: &mut Tx, node: &mut Node, now_ms: u64) -> Result<()> {
    node.acknowledged = 0;
    tx.forget_applied(&node.name).await?;
    let open = tx.open_tasks().await?;
    for task in open.into_iter().filter(|task| task.node == node.name) {
        let reason =
            "the node enrolled again with another key: how far the task got is not known. Look again: heeler plan";
        let outcome = words::ended(TaskState::Failed, reason);
        tx.finish_task(&task.id, &outcome, now_ms).await?;
    }
    Ok(())
}
