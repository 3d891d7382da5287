//! Confirms a node's network change only when every peer that is up on the backplane reaches the node, and the node
//! has opened a new session after the change. A peer that was up before the change is asked even if it is down now:
//! the change may be the cause.

use heeler_proto::NodeName;

use super::{Decision, Fleet, NodeView};
use crate::pending::{PeerAnswer, Pending};

/// Wait before a peer that does not reach the node is asked again: a card takes a while to come up.
const AGAIN_MS: u64 = 3_000;
/// Wait before a peer that has not answered is asked again.
const SILENT_MS: u64 = 12_000;
/// A node that disconnects during a change is back, or has undone it, within this time.
pub(super) const SETTLED_MS: u64 = 180_000;

pub(super) fn decide_network(fleet: &Fleet, now_ms: u64) -> Vec<Decision> {
    let pending = |node: &&NodeView| node.pending().is_some_and(|pending| !pending.confirmed);
    let nodes = fleet.nodes.iter().filter(|node| !node.revoked).filter(pending);
    nodes.flat_map(|node| decide_one(fleet, node, now_ms)).collect()
}

fn decide_one(fleet: &Fleet, node: &NodeView, now_ms: u64) -> Vec<Decision> {
    let Some(pending) = node.pending() else {
        return Vec::new();
    };
    let peers: Vec<&NodeView> = fleet.nodes.iter().filter(|peer| can_be_asked(peer, node)).collect();
    let before = node
        .changing()
        .and_then(|task| task.peers.as_deref())
        .unwrap_or_default();
    let known = fleet.nodes.iter().filter(|peer| before.contains(&peer.name));
    let missed: Vec<String> = known.filter_map(|peer| missed(peer, node, pending)).collect();
    let ask = peers
        .iter()
        .filter(|peer| is_to_be_asked(pending, &peer.name, before, now_ms));
    let mut decisions: Vec<Decision> = ask
        .filter_map(|peer| {
            Some(Decision::Ask {
                peer: peer.name.clone(),
                session: peer.session.as_ref()?.id,
                about: node.name.clone(),
            })
        })
        .collect();
    let answer = |peer: &&NodeView| pending.checks.get(&peer.name).and_then(|check| check.answer.clone());
    let answers: Vec<(&NodeName, Option<PeerAnswer>)> = peers.iter().map(|peer| (&peer.name, answer(peer))).collect();
    let reached: Vec<NodeName> = answers
        .iter()
        .filter(|(_, answer)| *answer == Some(PeerAnswer::Reached))
        .map(|(name, _)| (*name).clone())
        .collect();
    match doubt(pending, missed, &answers, &reached) {
        Some(reason) if reason.is_empty() || reason == pending.verdict => {}
        Some(reason) => decisions.push(Decision::Doubt {
            node: node.name.clone(),
            reason,
        }),
        None => decisions.push(Decision::Confirm {
            node: node.name.clone(),
            by: reached,
        }),
    }
    decisions
}

/// Connected, or disconnected only a moment ago.
pub(super) fn is_there(node: &NodeView, now_ms: u64) -> bool {
    node.session.is_some() || now_ms < node.last_seen_ms.saturating_add(SETTLED_MS)
}

/// Peers that are up on the backplane before the network of `node` changes.
pub(super) fn up_beside(fleet: &Fleet, node: &NodeView, now_ms: u64) -> Vec<NodeName> {
    let others = fleet
        .nodes
        .iter()
        .filter(|peer| peer.name != node.name && !peer.revoked);
    let up = others.filter(|peer| peer.on_backplane && is_there(peer, now_ms));
    up.map(|peer| peer.name.clone()).collect()
}

/// Why a peer that was up before the change cannot answer now. None for one that a person has removed, revoked or
/// paused since.
fn missed(peer: &NodeView, node: &NodeView, pending: &Pending) -> Option<String> {
    if peer.revoked || peer.paused {
        return None;
    }
    let answer = pending.checks.get(&peer.name).and_then(|check| check.answer.as_ref());
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
    let waits = peer.pending().is_some_and(|pending| !pending.confirmed);
    let changing = waits || peer.changing().is_some();
    peer.name != node.name && !peer.revoked && peer.session.is_some() && !changing
}

fn is_to_be_asked(pending: &Pending, peer: &NodeName, before: &[NodeName], now_ms: u64) -> bool {
    match pending.checks.get(peer) {
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

/// Why the change cannot be confirmed yet; empty while an answer is missing. None: it can be confirmed.
fn doubt(
    pending: &Pending,
    missed: Vec<String>,
    answers: &[(&NodeName, Option<PeerAnswer>)],
    reached: &[NodeName],
) -> Option<String> {
    let mut against = missed;
    against.extend(answers.iter().filter_map(|(name, answer)| match answer {
        Some(PeerAnswer::NotReached(why)) if why.is_empty() => {
            Some(format!("{name} does not reach {}", pending.address))
        }
        Some(PeerAnswer::NotReached(why)) => Some(format!("{name} could not try to reach {}: {why}", pending.address)),
        _ => None,
    }));
    if !against.is_empty() {
        return Some(against.join("; "));
    }
    if answers.iter().any(|(_, answer)| answer.is_none()) {
        return Some(String::new());
    }
    (pending.own_node && reached.is_empty()).then(|| {
        "the coordinator runs on this node, and no peer is up on the backplane to confirm the change: bring another node up first"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use heeler_proto::{Generation, TaskId};
    use heeler_store::TaskState;

    use super::super::{SessionView, TaskView, decide};
    use super::*;
    use crate::pending::PeerCheck;

    const NOW: u64 = 1_800_000_000_000;

    fn name(text: &str) -> NodeName {
        NodeName::new(text).unwrap()
    }

    fn node(text: &str, pending: Option<Pending>) -> NodeView {
        NodeView {
            name: name(text),
            revoked: false,
            paused: false,
            counter: 1,
            compared_at_ms: 0,
            facts_at_ms: NOW,
            on_backplane: false,
            last_seen_ms: NOW,
            session: Some(SessionView {
                id: 3,
                since_ms: NOW,
                compare_asked_at_ms: 0,
                facts_asked_at_ms: NOW,
                pending,
            }),
            open: Vec::new(),
        }
    }

    fn pending(answers: &[(&str, Option<PeerAnswer>)]) -> Pending {
        let checks = answers.iter().map(|(peer, answer)| {
            let check = PeerCheck {
                asked_at_ms: NOW,
                answer: answer.clone(),
            };
            (name(peer), check)
        });
        Pending {
            guard_id: "g".into(),
            address: "10.10.99.50".into(),
            own_node: false,
            checks: checks.collect(),
            verdict: String::new(),
            confirmed: false,
        }
    }

    fn decided(pending: Pending, peers: Vec<NodeView>) -> Vec<Decision> {
        decided_all([vec![node("a", Some(pending))], peers].concat())
    }

    fn confirm(by: &[&str]) -> Decision {
        Decision::Confirm {
            node: name("a"),
            by: by.iter().map(|peer| name(peer)).collect(),
        }
    }

    fn ask(peer: &str) -> Decision {
        Decision::Ask {
            peer: name(peer),
            session: 3,
            about: name("a"),
        }
    }

    #[test]
    fn every_peer_that_is_up_must_confirm() {
        let peers = || vec![node("b", None), node("c", None)];
        assert_eq!(decided(pending(&[]), peers()), [ask("b"), ask("c")]);
        assert_eq!(
            decided(pending(&[("b", Some(PeerAnswer::Reached)), ("c", None)]), peers()),
            []
        );
        let both = [("b", Some(PeerAnswer::Reached)), ("c", Some(PeerAnswer::Reached))];
        assert_eq!(decided(pending(&both), peers()), [confirm(&["b", "c"])]);
        let one = [
            ("b", Some(PeerAnswer::Reached)),
            ("c", Some(PeerAnswer::NotReached(String::new()))),
        ];
        let [Decision::Doubt { reason, .. }] = &decided(pending(&one), peers())[..] else {
            panic!("a doubt")
        };
        assert_eq!(reason, "c does not reach 10.10.99.50");
    }

    #[test]
    fn a_peer_without_backplane_has_no_veto() {
        let down = [("b", Some(PeerAnswer::Down))];
        assert_eq!(decided(pending(&down), vec![node("b", None)]), [confirm(&[])]);
        let changing = node("b", Some(pending(&[])));
        let away = NodeView {
            session: None,
            ..node("c", None)
        };
        assert_eq!(decided(pending(&[]), vec![changing, away])[0], confirm(&[]));
    }

    #[test]
    fn a_failing_peer_is_reported_once() {
        let mut once = pending(&[("b", Some(PeerAnswer::NotReached(String::new())))]);
        once.verdict = "b does not reach 10.10.99.50".into();
        assert_eq!(decided(once.clone(), vec![node("b", None)]), []);
        if let Some(check) = once.checks.get_mut(&name("b")) {
            check.asked_at_ms = NOW - AGAIN_MS;
        }
        assert_eq!(decided(once, vec![node("b", None)]), [ask("b")]);
    }

    #[test]
    fn on_the_coordinators_own_node_only_a_peer_can_confirm() {
        let own = |answers: &[(&str, Option<PeerAnswer>)]| Pending {
            own_node: true,
            ..pending(answers)
        };
        let [Decision::Doubt { reason, .. }] = &decided(own(&[]), vec![])[..] else {
            panic!("a doubt")
        };
        assert!(reason.contains("bring another node up first"), "{reason}");
        let reached = own(&[("b", Some(PeerAnswer::Reached))]);
        assert_eq!(decided(reached, vec![node("b", None)]), [confirm(&["b"])]);
    }

    /// A node whose change began while these peers were up on the backplane.
    fn begun(pending: Pending, before: &[&str]) -> NodeView {
        let task = TaskView {
            id: TaskId::from_random(1),
            state: TaskState::Running,
            created_at_ms: NOW,
            generation: Some(Generation { epoch: 1, counter: 1 }),
            network: true,
            peers: Some(before.iter().map(|peer| name(peer)).collect()),
            sent_over_session: true,
        };
        NodeView {
            open: vec![task],
            ..node("a", Some(pending))
        }
    }

    fn decided_all(nodes: Vec<NodeView>) -> Vec<Decision> {
        decide(
            &Fleet {
                accepted: false,
                epoch: 1,
                nodes,
            },
            NOW,
        )
    }

    fn gone(peer: &str) -> NodeView {
        NodeView {
            session: None,
            ..node(peer, None)
        }
    }

    #[test]
    fn a_peer_lost_by_the_change_vetoes_it() {
        let b = || pending(&[("b", Some(PeerAnswer::Reached)), ("c", Some(PeerAnswer::Reached))]);
        let [Decision::Doubt { reason, .. }] =
            &decided_all(vec![begun(b(), &["b", "c"]), node("b", None), gone("c")])[..]
        else {
            panic!("a doubt")
        };
        assert!(
            reason.starts_with("c was up on the backplane before the change, and is not connected now"),
            "{reason}"
        );
        let down = pending(&[("b", Some(PeerAnswer::Down))]);
        let [Decision::Doubt { reason, .. }] = &decided_all(vec![begun(down.clone(), &["b"]), node("b", None)])[..]
        else {
            panic!("a doubt")
        };
        assert!(reason.ends_with("is down there now"), "{reason}");
        // A peer that is down may come up again, so it is asked again.
        let mut later = down;
        if let Some(check) = later.checks.get_mut(&name("b")) {
            check.asked_at_ms = NOW - AGAIN_MS;
        }
        assert!(decided_all(vec![begun(later, &["b"]), node("b", None)]).contains(&ask("b")));
    }

    #[test]
    fn paused_and_removed_peers_have_no_veto() {
        let paused = NodeView {
            paused: true,
            ..gone("c")
        };
        let revoked = NodeView {
            revoked: true,
            ..gone("d")
        };
        let change = begun(pending(&[("b", Some(PeerAnswer::Reached))]), &["b", "c", "d", "e"]);
        assert_eq!(
            decided_all(vec![change, node("b", None), paused, revoked]),
            [confirm(&["b"])]
        );
    }

    #[test]
    fn the_peers_of_a_change_are_recorded() {
        let mut change = begun(pending(&[]), &[]);
        for task in &mut change.open {
            (task.state, task.generation, task.peers) = (TaskState::Queued, None, None);
            task.sent_over_session = false;
        }
        change.session.as_mut().unwrap().pending = None;
        let up = |node: NodeView| NodeView {
            on_backplane: true,
            ..node
        };
        let long_gone = NodeView {
            last_seen_ms: NOW - SETTLED_MS,
            ..up(gone("e"))
        };
        let nodes = vec![
            up(change),
            up(node("b", None)),
            node("c", None),
            up(gone("d")),
            long_gone,
        ];
        let handed_out = decided_all(nodes);
        let [Decision::Assign { peers: Some(peers), .. }] = &handed_out[..] else {
            panic!("{handed_out:?}")
        };
        assert_eq!(peers, &[name("b"), name("d")], "one may be on its way back");
    }

    #[test]
    fn a_confirmed_change_is_not_confirmed_again() {
        let done = Pending {
            confirmed: true,
            ..pending(&[])
        };
        assert_eq!(decided(done, vec![node("b", None)]), []);
    }
}
