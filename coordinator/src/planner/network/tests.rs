use heeler_proto::{Generation, TaskId};

use super::super::{ChangeView, Ready, SessionView, TaskView, Why, decide};
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
                ..NetworkChange::default()
            },
            ended: None,
        }),
        ..node("a")
    }
}

fn decided(nodes: Vec<NodeView>) -> Vec<Decision> {
    decided_since(0, nodes)
}

fn decided_since(since_ms: u64, nodes: Vec<NodeView>) -> Vec<Decision> {
    let fleet = Fleet {
        epoch: 1,
        since_ms,
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

fn up(node: NodeView) -> NodeView {
    NodeView {
        on_backplane: true,
        ..node
    }
}

/// Node with a network task to begin.
fn begins(text: &str) -> NodeView {
    NodeView {
        open: vec![network_task()],
        ..node(text)
    }
}

fn begun_with(decisions: &[Decision]) -> Option<&[NodeName]> {
    match decisions {
        [] => None,
        [Decision::Assign { peers, .. }] => peers.as_deref(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_peers_of_a_change_are_recorded() {
    let long_gone = NodeView {
        last_seen_ms: NOW - SETTLED_MS,
        ..up(gone("e"))
    };
    let handed_out = decided(vec![
        up(begins("a")),
        up(node("b")),
        node("c"),
        up(gone("d")),
        long_gone,
    ]);
    let peers = begun_with(&handed_out).unwrap();
    assert_eq!(peers, names(&["b", "d"]), "one may be on its way back");
}

#[test]
fn after_a_restart_peers_have_time_to_return() {
    let heard_minutes_ago = || NodeView {
        last_seen_ms: NOW - 2 * SETTLED_MS,
        ..up(gone("b"))
    };
    let since = |since_ms, peer| decided_since(since_ms, vec![begins("a"), peer]);
    let just_now = NOW - SETTLED_MS + 1;
    assert_eq!(begun_with(&since(just_now, heard_minutes_ago())), None);
    assert_eq!(
        begun_with(&since(just_now, up(node("b")))),
        Some(&names(&["b"])[..]),
        "all are there"
    );
    let paused = NodeView {
        paused: true,
        ..heard_minutes_ago()
    };
    for peer in [gone("b"), paused] {
        assert!(begun_with(&since(just_now, peer)).is_some(), "it has no veto");
    }
    assert_eq!(begun_with(&since(NOW - SETTLED_MS, heard_minutes_ago())), Some(&[][..]));
    assert!(
        begun_with(&since(NOW + 1, heard_minutes_ago())).is_some(),
        "the clock went back"
    );
}

#[test]
fn a_confirmed_change_is_not_confirmed_again() {
    let mut done = armed(&[]);
    done.verdict = Some(Verdict::Confirmed(Vec::new()));
    assert_eq!(decided(vec![changed(done, &[]), node("b")]), []);
}

#[test]
fn one_network_changes_at_a_time() {
    let task = TaskView {
        state: TaskState::Running,
        generation: Some(Generation { epoch: 1, counter: 1 }),
        sent_over_session: true,
        ..network_task()
    };
    let changing = || NodeView {
        open: vec![task.clone()],
        ..changed(None, &[])
    };
    assert_eq!(decided(vec![changing(), begins("b")]), []);
    let lost = || NodeView {
        session: None,
        last_seen_ms: NOW - SETTLED_MS,
        ..changing()
    };
    assert_eq!(decided(vec![lost()]), [], "nobody waits for it");
    let just_started = NOW - SETTLED_MS + 1;
    assert_eq!(decided_since(just_started, vec![lost(), begins("b")]), []);
    let gives_up = Decision::Refuse {
        task: task.id.clone(),
        why: Why::LeftInChange,
    };
    assert_eq!(decided(vec![lost(), begins("b"), begins("c")]), [gives_up]);
    let mut ended = lost();
    ended.open.clear();
    ended.change.as_mut().unwrap().ended = Some((TaskState::Failed, "why".into()));
    let next = decided(vec![ended, begins("b")]);
    assert!(
        matches!(next[..], [Decision::End { .. }, Decision::Assign { .. }]),
        "{next:?}"
    );
}

#[test]
fn a_change_that_may_stay_is_not_called_undone() {
    let mut told = armed(&[]);
    told.verdict = Some(Verdict::Confirmed(Vec::new()));
    for pending in [None, Some(armed(&[]))] {
        let mut over = changed(told.clone(), &[]);
        let view = over.change.as_mut().unwrap();
        view.change.connected(pending);
        assert!(!view.change.is_confirmed(), "it is asked anew");
        view.ended = Some((TaskState::Failed, "why".into()));
        let decisions = decided(vec![over]);
        assert!(
            matches!(
                decisions[..],
                [Decision::End {
                    state: OperationState::Failed,
                    ..
                }]
            ),
            "{decisions:?}"
        );
    }
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
