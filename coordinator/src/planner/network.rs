//! Confirms a node's network change only when every peer that is up on the backplane reaches the node, and the node
//! has opened a new session after the change. A peer that was up before the change is asked even if it is down now:
//! the change may be the cause.

use heeler_proto::NodeName;
use heeler_store::{OperationState, TaskState};

use super::{Decision, Fleet, NodeView, TaskView, Why, past};
use crate::operation::{Armed, PeerAnswer, PeerCheck, Verdict};

/// Wait before a peer that does not reach the node is asked again: a card takes a while to come up.
const AGAIN_MS: u64 = 3_000;
/// Wait before a peer that has not answered is asked again.
const SILENT_MS: u64 = 12_000;
/// A node that disconnects during a change is back, or has undone it, within this time.
const SETTLED_MS: u64 = 180_000;

/// Ends the change of a node's network whose task has ended. What was not confirmed is undone by the node itself.
pub(super) fn ended(node: &NodeView) -> Option<Decision> {
    let view = node.change.as_ref()?;
    let (task, reason) = view.ended.clone()?;
    let state = match task {
        TaskState::Done => OperationState::Done,
        _ if view.change.may_stay() => OperationState::Failed,
        _ => OperationState::Undone,
    };
    Some(Decision::End {
        operation: view.operation,
        state,
        reason,
    })
}

/// The next step of the change that a node has made: peers to ask, and what is known now.
pub(super) fn proceed(fleet: &Fleet, node: &NodeView, now_ms: u64) -> Option<Decision> {
    let (view, armed) = (node.changing()?, node.unconfirmed()?);
    let before = view.change.peers.as_slice();
    let peers = || fleet.nodes.iter().filter(|peer| can_be_asked(peer, node));
    let ask: Vec<NodeName> = peers()
        .map(|peer| peer.name.clone())
        .filter(|peer| is_to_be_asked(armed, peer, before, now_ms))
        .collect();
    let known = fleet.nodes.iter().filter(|peer| before.contains(&peer.name));
    let missed = known.filter_map(|peer| missed(peer, node, armed)).collect();
    let answer = |peer: &NodeName| armed.checks.get(peer).and_then(|check| check.answer.as_ref());
    let answers: Vec<_> = peers().map(|peer| (&peer.name, answer(&peer.name))).collect();
    let verdict = verdict(armed, missed, &answers).filter(|verdict| armed.verdict.as_ref() != Some(verdict));
    if ask.is_empty() && verdict.is_none() {
        return None;
    }

    let mut next = armed.clone();
    let asked = PeerCheck {
        asked_at_ms: now_ms,
        answer: None,
    };
    next.checks.extend(ask.iter().map(|peer| (peer.clone(), asked.clone())));
    next.verdict = verdict.clone().or(next.verdict);
    let mut change = view.change.clone();
    change.armed = Some(next);
    Some(Decision::Proceed {
        operation: view.operation,
        node: node.name.clone(),
        change,
        ask,
        verdict,
    })
}

/// Connected, or disconnected only a moment ago. A coordinator that has just started gives every node time to return.
fn is_there(fleet: &Fleet, node: &NodeView, now_ms: u64) -> bool {
    let since_ms = node.last_seen_ms.max(past(fleet.since_ms, now_ms));
    node.session.is_some() || now_ms < since_ms.saturating_add(SETTLED_MS)
}

/// Whether a change of the network of `node` would begin too soon after a start of the coordinator: a peer that may
/// have been up until then has not had time to return, so it is not known whether it must confirm the change.
pub(super) fn too_soon(fleet: &Fleet, node: &NodeView, now_ms: u64) -> bool {
    peers_of(fleet, node).any(|peer| {
        let unheard = peer.session.is_none() && peer.last_seen_ms < fleet.since_ms && !peer.paused;
        peer.on_backplane && unheard && is_there(fleet, peer, now_ms)
    })
}

/// Gives up the change of a node that has left, so that another network can change. When it returns, nobody confirms its
/// change, and it undoes it.
pub(super) fn given_up(fleet: &Fleet, changing: &NodeView, now_ms: u64) -> Vec<Decision> {
    if is_there(fleet, changing, now_ms) {
        return Vec::new();
    }
    let tasks = changing.open.iter();
    let handed_out = tasks.filter(|task| task.network && task.generation.is_some());
    let refuse = |task: &TaskView| Decision::Refuse {
        task: task.id.clone(),
        why: Why::LeftInChange,
    };
    handed_out.map(refuse).collect()
}

fn peers_of<'a>(fleet: &'a Fleet, node: &'a NodeView) -> impl Iterator<Item = &'a NodeView> {
    let others = fleet.nodes.iter().filter(|peer| peer.name != node.name);
    others.filter(|peer| !peer.revoked)
}

/// Peers that are up on the backplane before the network of `node` changes.
pub(super) fn up_beside(fleet: &Fleet, node: &NodeView, now_ms: u64) -> Vec<NodeName> {
    let up = peers_of(fleet, node).filter(|peer| peer.on_backplane && is_there(fleet, peer, now_ms));
    up.map(|peer| peer.name.clone()).collect()
}

/// Why a peer that was up before the change cannot answer now. None for one that a person has removed, revoked or
/// paused since.
fn missed(peer: &NodeView, node: &NodeView, armed: &Armed) -> Option<String> {
    if peer.revoked || peer.paused {
        return None;
    }
    let answer = armed.checks.get(&peer.name).and_then(|check| check.answer.as_ref());
    let since = if peer.session.is_none() {
        format!(
            "is not connected now: bring it back; if it is offline on purpose: heeler node pause {}",
            peer.name
        )
    } else if !can_be_asked(peer, node) {
        "its own network is being changed".to_owned()
    } else if answer == Some(&PeerAnswer::Down) {
        "is down there now".to_owned()
    } else {
        return None;
    };
    Some(format!(
        "{} was up on the backplane before the change, and {since}",
        peer.name
    ))
}

/// Whether a peer can be asked: connected, and its own network does not change. The peer itself says whether it is up
/// on the backplane.
fn can_be_asked(peer: &NodeView, node: &NodeView) -> bool {
    peer.name != node.name && !peer.revoked && peer.session.is_some() && peer.changing().is_none()
}

fn is_to_be_asked(armed: &Armed, peer: &NodeName, before: &[NodeName], now_ms: u64) -> bool {
    match armed.checks.get(peer) {
        None => true,
        Some(check) => {
            let after_ms = match check.answer {
                None => SILENT_MS,
                Some(PeerAnswer::NotReached(_)) => AGAIN_MS,
                Some(PeerAnswer::Down) if before.contains(peer) => AGAIN_MS,
                Some(PeerAnswer::Reached | PeerAnswer::Down) => return false,
            };
            now_ms.abs_diff(check.asked_at_ms) >= after_ms
        }
    }
}

/// What the answers say; None while one is missing.
fn verdict(armed: &Armed, missed: Vec<String>, answers: &[(&NodeName, Option<&PeerAnswer>)]) -> Option<Verdict> {
    let mut against = missed;
    against.extend(answers.iter().filter_map(|(name, answer)| match answer {
        Some(PeerAnswer::NotReached(why)) if why.is_empty() => Some(format!("{name} does not reach {}", armed.address)),
        Some(PeerAnswer::NotReached(why)) => Some(format!("{name} could not try to reach {}: {why}", armed.address)),
        _ => None,
    }));
    if !against.is_empty() {
        return Some(Verdict::Doubted(against.join("; ")));
    }
    if answers.iter().any(|(_, answer)| answer.is_none()) {
        return None;
    }
    let reached = answers
        .iter()
        .filter(|(_, answer)| *answer == Some(&PeerAnswer::Reached));
    let by: Vec<NodeName> = reached.map(|(name, _)| (*name).clone()).collect();
    if armed.own_node && by.is_empty() {
        let reason = "the coordinator runs on this node, and no peer is up on the backplane to confirm the change: bring \
                      another node up first";
        return Some(Verdict::Doubted(reason.to_owned()));
    }
    Some(Verdict::Confirmed(by))
}

#[cfg(test)]
mod tests;
