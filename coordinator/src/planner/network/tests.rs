use heeler_proto::{Generation, TaskId};

use super::super::{ChangeView, Ready, SessionView, TaskView, decide};
use super::*;
use crate::operation::NetworkChange;

const NOW: u64 = 1_800_000_000_000;

type Answers<'a> = &'a [(&'a str, Option<PeerAnswer>)];

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn names(texts: &[&str]) -> Vec<NodeName> {
    texts.iter().map(|text| name(text)).collect()
}

fn node(text: &str) -> NodeView {
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
        }),
        change: None,
        open: Vec::new(),
    }
}

fn gone(peer: &str) -> NodeView {
    NodeView {
        session: None,
        ..node(peer)
    }
}

fn armed(answers: Answers<'_>) -> Armed {
    let checks = answers.iter().map(|(peer, answer)| {
        let check = PeerCheck {
            asked_at_ms: NOW,
            answer: answer.clone(),
        };
        (name(peer), check)
    });
    Armed {
        guard_id: "g".into(),
        address: [10, 10, 99, 50].into(),
        own_node: false,
        checks: checks.collect(),
        verdict: None,
    }
}

/// Node `a` with a change that began while these peers were up on the backplane.
fn changed(armed: impl Into<Option<Armed>>, before: &[&str]) -> NodeView {
    NodeView {
        change: Some(ChangeView {
            operation: 7,
            change: NetworkChange {
                peers: names(before),
                armed: armed.into(),
            },
            ended: None,
        }),
        ..node("a")
    }
}

fn decided(nodes: Vec<NodeView>) -> Vec<Decision> {
    let fleet = Fleet {
        epoch: 1,
        nodes,
        ..Fleet::default()
    };
    decide(&fleet, NOW)
}

/// Whom node a's change asks, and what the node is told.
fn step(nodes: Vec<NodeView>) -> (Vec<NodeName>, Option<Verdict>) {
    match decided(nodes).as_slice() {
        [] => (Vec::new(), None),
        [
            Decision::Proceed {
                operation: 7,
                change,
                ask,
                verdict,
                ..
            },
        ] => {
            let stored = change.armed.as_ref().unwrap();
            let asked = |peer: &NodeName| stored.checks[peer].answer.is_none();
            assert!(ask.iter().all(asked), "{stored:?}");
            assert!(
                verdict.is_none() || stored.verdict == *verdict,
                "stored before it is said"
            );
            (ask.clone(), verdict.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn asks(peers: &[&str]) -> (Vec<NodeName>, Option<Verdict>) {
    (names(peers), None)
}

fn confirms(by: &[&str]) -> (Vec<NodeName>, Option<Verdict>) {
    (Vec::new(), Some(Verdict::Confirmed(names(by))))
}

fn doubt((_, verdict): (Vec<NodeName>, Option<Verdict>)) -> String {
    match verdict {
        Some(Verdict::Doubted(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn reached() -> Option<PeerAnswer> {
    Some(PeerAnswer::Reached)
}

fn not_reached() -> Option<PeerAnswer> {
    Some(PeerAnswer::NotReached(String::new()))
}

#[test]
fn every_peer_that_is_up_must_confirm() {
    let with = |answers: Answers<'_>| step(vec![changed(armed(answers), &[]), node("b"), node("c")]);
    assert_eq!(with(&[]), asks(&["b", "c"]));
    assert_eq!(with(&[("b", reached()), ("c", None)]), asks(&[]));
    assert_eq!(with(&[("b", reached()), ("c", reached())]), confirms(&["b", "c"]));
    let one = with(&[("b", reached()), ("c", not_reached())]);
    assert_eq!(doubt(one), "c does not reach 10.10.99.50");
}

#[test]
fn a_peer_without_backplane_has_no_veto() {
    let down = armed(&[("b", Some(PeerAnswer::Down))]);
    assert_eq!(step(vec![changed(down, &[]), node("b")]), confirms(&[]));
    let changing = NodeView {
        name: name("b"),
        ..changed(None, &[])
    };
    assert_eq!(step(vec![changed(armed(&[]), &[]), changing, gone("c")]), confirms(&[]));
}

#[test]
fn a_failing_peer_is_reported_once() {
    let mut once = armed(&[("b", not_reached())]);
    once.verdict = Some(Verdict::Doubted("b does not reach 10.10.99.50".into()));
    assert_eq!(step(vec![changed(once.clone(), &[]), node("b")]), asks(&[]));
    if let Some(check) = once.checks.get_mut(&name("b")) {
        check.asked_at_ms = NOW - AGAIN_MS;
    }
    assert_eq!(step(vec![changed(once, &[]), node("b")]), asks(&["b"]));
}

#[test]
fn on_the_coordinators_own_node_only_a_peer_can_confirm() {
    let own = |answers: Answers<'_>| Armed {
        own_node: true,
        ..armed(answers)
    };
    let reason = doubt(step(vec![changed(own(&[]), &[])]));
    assert!(reason.contains("bring another node up first"), "{reason}");
    let by_b = own(&[("b", reached())]);
    assert_eq!(step(vec![changed(by_b, &[]), node("b")]), confirms(&["b"]));
}

#[test]
fn a_peer_lost_by_the_change_vetoes_it() {
    let both = armed(&[("b", reached()), ("c", reached())]);
    let reason = doubt(step(vec![changed(both, &["b", "c"]), node("b"), gone("c")]));
    assert!(
        reason.starts_with("c was up on the backplane before the change, and is not connected now"),
        "{reason}"
    );
    let mut down = armed(&[("b", Some(PeerAnswer::Down))]);
    let reason = doubt(step(vec![changed(down.clone(), &["b"]), node("b")]));
    assert!(reason.ends_with("is down there now"), "{reason}");
    // A peer that is down may come up again, so it is asked again.
    if let Some(check) = down.checks.get_mut(&name("b")) {
        check.asked_at_ms = NOW - AGAIN_MS;
    }
    assert_eq!(step(vec![changed(down, &["b"]), node("b")]).0, names(&["b"]));
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
    let change = changed(armed(&[("b", reached())]), &["b", "c", "d", "e"]);
    assert_eq!(step(vec![change, node("b"), paused, revoked]), confirms(&["b"]));
}

fn network_task() -> TaskView {
    TaskView {
        id: TaskId::from_random(1),
        state: TaskState::Queued,
        ready: Ready::At(NOW),
        consented_until_ms: None,
        generation: None,
        network: true,
        sent_over_session: false,
    }
}

#[test]
fn the_peers_of_a_change_are_recorded() {
    let up = |node: NodeView| NodeView {
        on_backplane: true,
        ..node
    };
    let begins = NodeView {
        open: vec![network_task()],
        ..node("a")
    };
    let long_gone = NodeView {
        last_seen_ms: NOW - SETTLED_MS,
        ..up(gone("e"))
    };
    let handed_out = decided(vec![up(begins), up(node("b")), node("c"), up(gone("d")), long_gone]);
    let [Decision::Assign { peers: Some(peers), .. }] = &handed_out[..] else {
        panic!("{handed_out:?}")
    };
    assert_eq!(peers, &names(&["b", "d"]), "one may be on its way back");
}

#[test]
fn a_confirmed_change_is_not_confirmed_again() {
    let mut done = armed(&[]);
    done.verdict = Some(Verdict::Confirmed(Vec::new()));
    assert_eq!(decided(vec![changed(done, &[]), node("b")]), []);
}

#[test]
fn one_network_changes_at_a_time() {
    let waiting = || NodeView {
        open: vec![network_task()],
        ..node("b")
    };
    assert_eq!(decided(vec![changed(None, &[]), waiting()]), []);
    let lost_long_ago = NodeView {
        session: None,
        last_seen_ms: NOW - SETTLED_MS,
        ..changed(None, &[])
    };
    let next = decided(vec![lost_long_ago, waiting()]);
    assert!(matches!(next[..], [Decision::Assign { .. }]), "{next:?}");
}

#[test]
fn a_change_ends_with_its_task() {
    let confirmed = || Armed {
        verdict: Some(Verdict::Confirmed(Vec::new())),
        ..armed(&[])
    };
    for (armed, task, state) in [
        (confirmed(), TaskState::Done, OperationState::Done),
        (confirmed(), TaskState::Failed, OperationState::Failed),
        (armed(&[]), TaskState::Failed, OperationState::Undone),
        (armed(&[]), TaskState::Refused, OperationState::Undone),
    ] {
        let mut over = changed(armed, &[]);
        over.change.as_mut().unwrap().ended = Some((task, "why".into()));
        over.open = vec![TaskView {
            generation: Some(Generation { epoch: 1, counter: 1 }),
            ..network_task()
        }];
        let decisions = decided(vec![over, node("b")]);
        let end = Decision::End {
            operation: 7,
            state,
            reason: "why".into(),
        };
        assert_eq!(decisions[0], end, "first, so that the next change can begin");
    }
}
