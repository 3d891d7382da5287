use super::*;

const NOW: u64 = 1_800_000_000_000;

fn task(number: u128, state: TaskState, age_ms: u64) -> TaskView {
    let handed_out = state != TaskState::Queued;
    TaskView {
        id: TaskId::from_random(number),
        state,
        ready: Ready::At(NOW - age_ms),
        consented_until_ms: None,
        generation: handed_out.then_some(Generation { epoch: 1, counter: 7 }),
        network: false,
        sent_over_session: false,
    }
}

fn node(connected: bool, open: Vec<TaskView>) -> NodeView {
    NodeView {
        name: NodeName::new("a").unwrap(),
        revoked: false,
        paused: false,
        counter: 7,
        facts_at_ms: NOW,
        on_backplane: false,
        last_seen_ms: NOW,
        compared_at_ms: 0,
        session: connected.then_some(SessionView {
            id: 3,
            since_ms: NOW,
            compare_asked_at_ms: 0,
            facts_asked_at_ms: 0,
        }),
        change: None,
        open,
    }
}

fn decided(node: NodeView) -> Vec<Decision> {
    decide(
        &Fleet {
            epoch: 2,
            since_ms: 0,
            accepted: true,
            nodes: vec![node],
        },
        NOW,
    )
}

fn assign(number: u128, generation: (u64, u64), first: bool) -> Decision {
    let generation = Generation {
        epoch: generation.0,
        counter: generation.1,
    };
    let node = NodeName::new("a").unwrap();
    Decision::Assign {
        node,
        task: TaskId::from_random(number),
        generation,
        first,
        session: 3,
        peers: None,
    }
}

fn refuse(number: u128, why: Why) -> Decision {
    Decision::Refuse {
        task: TaskId::from_random(number),
        why,
    }
}

#[test]
fn a_queued_task_gets_the_next_generation_of_the_epoch() {
    assert_eq!(
        decided(node(true, vec![task(1, TaskState::Queued, 0)])),
        [assign(1, (2, 8), true)]
    );
}

#[test]
fn a_task_is_resent_with_its_generation() {
    for state in [TaskState::Sent, TaskState::Running] {
        assert_eq!(
            decided(node(true, vec![task(1, state, 0)])),
            [assign(1, (1, 7), false)],
            "{state:?}"
        );
    }
}

#[test]
fn once_over_a_session_is_enough() {
    let sent = TaskView {
        sent_over_session: true,
        ..task(1, TaskState::Sent, 0)
    };
    assert_eq!(decided(node(true, vec![sent])), []);
}

#[test]
fn a_node_has_one_task_in_hand() {
    let running = TaskView {
        sent_over_session: true,
        ..task(1, TaskState::Running, 5)
    };
    assert_eq!(decided(node(true, vec![running, task(2, TaskState::Queued, 0)])), []);
}

#[test]
fn nothing_is_handed_to_a_node_that_is_away() {
    assert_eq!(decided(node(false, vec![task(1, TaskState::Queued, 0)])), []);
}

#[test]
fn an_untaken_task_expires_after_an_hour() {
    for connected in [false, true] {
        for state in [TaskState::Queued, TaskState::Sent] {
            let late = node(connected, vec![task(1, state, TASK_LIFETIME_MS)]);
            assert_eq!(decided(late), [refuse(1, Why::TooLate)], "{connected} {state:?}");
        }
    }
}

#[test]
fn a_taken_task_never_expires() {
    let old = node(true, vec![task(1, TaskState::Running, 100 * TASK_LIFETIME_MS)]);
    assert_eq!(decided(old), [assign(1, (1, 7), false)]);
}

#[test]
fn an_expired_task_does_not_delay_the_next() {
    let tasks = vec![
        task(1, TaskState::Queued, TASK_LIFETIME_MS),
        task(2, TaskState::Queued, 0),
    ];
    assert_eq!(
        decided(node(true, tasks)),
        [refuse(1, Why::TooLate), assign(2, (2, 8), true)]
    );
}

#[test]
fn a_task_waits_for_its_predecessor_however_long_that_takes() {
    let first = TaskView {
        sent_over_session: true,
        ..task(1, TaskState::Running, 2 * TASK_LIFETIME_MS)
    };
    let second = |ready| TaskView {
        ready,
        ..task(2, TaskState::Queued, 0)
    };
    assert_eq!(decided(node(true, vec![first, second(Ready::Waits)])), []);
    assert_eq!(
        decided(node(true, vec![second(Ready::At(NOW))])),
        [assign(2, (2, 8), true)]
    );
    let late = Ready::At(NOW - TASK_LIFETIME_MS);
    assert_eq!(decided(node(true, vec![second(late)])), [refuse(2, Why::TooLate)]);
    let never = decided(node(true, vec![second(Ready::Never("ensure pool".into()))]));
    let [Decision::Refuse { why, .. }] = &never[..] else {
        panic!("{never:?}")
    };
    assert_eq!(
        why.text(),
        "not started: ensure pool, which comes first, did not finish"
    );
}

#[test]
fn a_task_that_waits_for_another_node_delays_none() {
    let waits = TaskView {
        ready: Ready::Waits,
        ..task(1, TaskState::Queued, 0)
    };
    let running = TaskView {
        sent_over_session: true,
        ..task(2, TaskState::Running, 0)
    };
    assert_eq!(
        decided(node(true, vec![waits, task(2, TaskState::Queued, 0)])),
        [assign(2, (2, 8), true)]
    );
    let now_ready = task(1, TaskState::Queued, 0);
    assert_eq!(decided(node(true, vec![now_ready, running])), [], "one at a time");
}

#[test]
fn an_absent_nodes_task_is_refused_after_an_hour() {
    let away = |since_ms, last_seen_ms| {
        let waits = TaskView {
            ready: Ready::Waits,
            ..task(2, TaskState::Queued, 0)
        };
        let node = NodeView {
            last_seen_ms,
            ..node(false, vec![task(1, TaskState::Running, 0), waits])
        };
        let fleet = Fleet {
            since_ms,
            nodes: vec![node],
            ..Fleet::default()
        };
        decide(&fleet, NOW)
    };
    let long_ago = NOW - TASK_LIFETIME_MS;
    assert_eq!(away(0, long_ago + 1), []);
    assert_eq!(away(0, long_ago), [refuse(2, Why::Away)]);
    assert_eq!(away(NOW, long_ago), [], "the coordinator was away");
}

#[test]
fn a_task_does_not_start_with_an_expired_consent() {
    let consented = |state, until_ms| TaskView {
        consented_until_ms: Some(until_ms),
        sent_over_session: state != TaskState::Queued,
        ..task(1, state, 0)
    };
    let expired = decided(node(true, vec![consented(TaskState::Queued, NOW)]));
    assert_eq!(expired, [refuse(1, Why::ConsentExpired)]);
    assert_eq!(
        decided(node(true, vec![consented(TaskState::Queued, NOW + 1)])),
        [assign(1, (2, 8), true)]
    );
    for taken in [TaskState::Sent, TaskState::Running] {
        assert_eq!(decided(node(true, vec![consented(taken, NOW)])), [], "the node decides");
    }
}

#[test]
fn a_revoked_node_gets_nothing_and_its_tasks_are_refused() {
    let tasks = vec![task(1, TaskState::Queued, 0), task(2, TaskState::Running, 0)];
    let revoked = NodeView {
        revoked: true,
        facts_at_ms: 0,
        ..node(true, tasks)
    };
    assert_eq!(
        decided(revoked),
        [
            refuse(1, Why::Revoked { begun: false }),
            refuse(2, Why::Revoked { begun: true })
        ]
    );
}

#[test]
fn old_facts_are_refreshed_when_idle() {
    let old = NodeView {
        facts_at_ms: NOW - FACTS_LIFETIME_MS,
        ..node(true, vec![])
    };
    let look = Decision::Look {
        node: old.name.clone(),
        session: 3,
    };
    assert_eq!(decided(old.clone()), [look]);
    let session = Some(SessionView {
        id: 3,
        since_ms: NOW,
        compare_asked_at_ms: 0,
        facts_asked_at_ms: NOW - 1,
    });
    assert_eq!(decided(NodeView { session, ..old.clone() }), []);
    let busy = TaskView {
        sent_over_session: true,
        ..task(1, TaskState::Running, 0)
    };
    assert_eq!(
        decided(NodeView {
            open: vec![busy],
            ..old.clone()
        }),
        []
    );
    assert_eq!(decided(NodeView { session: None, ..old }), []);
}

#[test]
fn the_same_fleet_gives_the_same_decisions() {
    let fleet = Fleet {
        epoch: 1,
        since_ms: 0,
        accepted: true,
        nodes: vec![node(true, vec![task(1, TaskState::Queued, 0)]); 3],
    };
    assert_eq!(decide(&fleet, NOW), decide(&fleet, NOW));
}

#[test]
fn a_paused_node_only_finishes_its_task() {
    let paused = |state| {
        decided(NodeView {
            paused: true,
            ..node(true, vec![task(1, state, 0)])
        })
    };
    assert_eq!(paused(TaskState::Queued), [refuse(1, Why::Paused)]);
    assert_eq!(paused(TaskState::Sent), []);
    assert_eq!(paused(TaskState::Running), [assign(1, (1, 7), false)]);
}

#[test]
fn an_idle_node_is_checked_for_drift() {
    let compares = |since_ms, asked_ms, compared_at_ms, open| {
        let mut view = node(true, open);
        view.compared_at_ms = compared_at_ms;
        let session = view.session.as_mut().unwrap();
        (session.since_ms, session.compare_asked_at_ms) = (since_ms, asked_ms);
        let compare = |decision: &Decision| matches!(decision, Decision::Compare { .. });
        decided(view).iter().any(compare)
    };
    let ago = |ms| NOW - ms;
    assert!(!compares(ago(1_000), 0, 0, vec![]), "it has only just come");
    assert!(
        compares(ago(2_000), 0, ago(5_000), vec![]),
        "what an earlier session found may be old"
    );
    let half_hour = COMPARE_EVERY_MS;
    assert!(!compares(0, ago(half_hour - 1), ago(half_hour - 1), vec![]));
    assert!(compares(0, ago(half_hour), ago(half_hour), vec![]));
    assert!(compares(0, ago(60_000), 0, vec![]), "a task has made it old");
    let busy = TaskView {
        sent_over_session: true,
        ..task(1, TaskState::Running, 0)
    };
    assert!(!compares(0, ago(half_hour), 0, vec![busy]));
}
