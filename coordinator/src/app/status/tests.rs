use heeler_proto::{Dataset, Mountpoint, NodeName, PoolName, Serial};
use heeler_store::{Applied, Node, NodeState, Pool, Task, TaskState};
use prost::Message as _;
use v1::Light::{Amber, Green, Red};

use super::*;
use crate::app::spec;
use crate::config::WantedNode;

mod health;

const NOW: u64 = 1_800_000_000_000;

fn wanted() -> WantedNode {
    WantedNode {
        name: NodeName::new("a").unwrap(),
        line: 1,
        address: [10, 0, 0, 1].into(),
        disks: ["S1", "S2"].map(|serial| Serial::new(serial).unwrap()).to_vec(),
        pool: PoolName::new("data").unwrap(),
        datasets: vec![Dataset {
            name: "data/vm".into(),
            mountpoint: Mountpoint::None,
        }],
        arc_max_bytes: None,
        backplane: None,
        snapshots: Vec::new(),
        names: None,
        repair: false,
        access: None,
        repositories: None,
        packages: None,
        storages: None,
        time: None,
        boot: None,
        locale: None,
        timezone: None,
        scrub: heeler_proto::ScrubEvery::Month,
        copies: heeler_proto::KeepCopies::USUAL,
        place: 0,
    }
}

fn leg(serial: &str, state: &str) -> v1::Leg {
    v1::Leg {
        serial: serial.into(),
        state: state.into(),
        ..v1::Leg::default()
    }
}

fn pool(state: &str, second: &str) -> v1::Pool {
    v1::Pool {
        name: "data".into(),
        guid: "7".into(),
        state: state.into(),
        size_bytes: 200,
        allocated_bytes: 82,
        legs: vec![leg("S1", "ONLINE"), leg("S2", second)],
        ..v1::Pool::default()
    }
}

/// A node that matches the accepted revision.
fn node(pools: Vec<v1::Pool>) -> Node {
    let facts = v1::Facts {
        pools,
        ..v1::Facts::default()
    };
    Node {
        name: "a".into(),
        state: NodeState::Enrolled,
        hostid: "00000001".into(),
        key_sha256: Some([1; 32]),
        host_key: String::new(),
        hardware_serial: String::new(),
        agent_version: "1".into(),
        certificate_expires_ms: NOW + 1,
        last_seen_ms: NOW,
        counter: 1,
        acknowledged: 1,
        facts: Some(facts.encode_to_vec()),
        facts_at_ms: NOW,
    }
}

fn task(state: TaskState) -> Task {
    Task {
        id: "t".into(),
        node: "a".into(),
        kind: "ensure pool".into(),
        task: vec![],
        revision: 1,
        operator: "me".into(),
        state,
        reason: "because".into(),
        blocked: None,
        changes: 0,
        created_at_ms: 0,
        finished_at_ms: 0,
        epoch: 1,
        counter: 1,
        operation: None,
        predecessor: None,
        ready_at_ms: 0,
        consented_until_ms: None,
    }
}

fn look(wanted: Option<&WantedNode>) -> Look<'_> {
    let record = Pool {
        guid: "7".into(),
        name: "data".into(),
        node: "a".into(),
        ours: true,
        seen_at_ms: NOW,
    };
    let digests = wanted.map(spec::digests).unwrap_or_default();
    let matched = digests.into_iter().map(|(kind, sha256)| Applied {
        kind: kind.to_owned(),
        sha256,
    });
    Look {
        pause: None,
        wanted,
        applied: true,
        matched: matched.collect(),
        drift: None,
        pools: vec![record],
        repairs_seen: vec![],
        scheduled: None,
        tasks: vec![],
        connected: true,
        now_ms: NOW,
    }
}

fn seen(node: &Node, look: &Look<'_>) -> (v1::NodeStatus, Vec<v1::Alert>) {
    let facts = ledger::facts_of(node).unwrap();
    look_at(node, facts.as_ref(), look).unwrap()
}

#[test]
fn a_node_without_differences_is_green() {
    let wanted = wanted();
    let (status, alerts) = seen(&node(vec![pool("ONLINE", "ONLINE")]), &look(Some(&wanted)));
    assert_eq!((status.light(), alerts.len()), (Green, 0));
    assert_eq!((status.pool.as_str(), status.pool_percent), ("ok", 41));
    assert_eq!(
        (status.legs, status.legs_online, status.config.as_str()),
        (2, 2, "same")
    );
}

#[test]
fn a_degraded_pool_names_the_disk_to_keep() {
    let wanted = wanted();
    let (status, alerts) = seen(&node(vec![pool("DEGRADED", "UNAVAIL")]), &look(Some(&wanted)));
    assert_eq!(
        (status.light(), status.pool.as_str(), status.legs_online),
        (Red, "DEGRADED", 1)
    );
    assert_eq!(alerts[0].text, "pool data is DEGRADED: S2 is UNAVAIL. Do NOT pull S1");
    assert_eq!(summary(&[status], &alerts), "1 pool has no redundancy. No data lost.");
}

/// The same, with this report about its schedule.
fn scheduled(schedule: v1::ScheduleFacts) -> Node {
    scheduled_with(pool("ONLINE", "ONLINE"), schedule)
}

fn scheduled_with(pool: v1::Pool, schedule: v1::ScheduleFacts) -> Node {
    let facts = v1::Facts {
        pools: vec![pool],
        schedule: Some(schedule),
        ..v1::Facts::default()
    };
    Node {
        facts: Some(facts.encode_to_vec()),
        ..node(vec![])
    }
}

#[test]
fn a_copy_older_than_two_days_turns_amber() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let wanted = wanted();
    let never = "what lives on the SD card was never copied to the pool";
    let old = "what lives on the SD card was copied to the pool 3 d ago: no room";
    for (last_copy_ms, copy_overdue_ms, copy_problem, connected, expected) in [
        (NOW - 3 * DAY, NOW - DAY, "no room", true, Some(old)),
        (0, NOW - 1, "", true, Some(never)),
        (NOW + DAY, NOW - 1, "", true, Some(never)),
        (NOW - DAY, NOW + DAY, "no room", true, None),
        (NOW - 3 * DAY, NOW - DAY, "no room", false, None),
        (0, 0, "", true, None),
    ] {
        let schedule = v1::ScheduleFacts {
            last_copy_ms,
            copy_overdue_ms,
            copy_problem: copy_problem.to_owned(),
            ..v1::ScheduleFacts::default()
        };
        let look = Look {
            connected,
            ..look(Some(&wanted))
        };
        let (status, alerts) = seen(&scheduled_with(pool("ONLINE", "ONLINE"), schedule), &look);
        let said = alerts.iter().map(|alert| alert.text.as_str()).next_back();
        assert_eq!(said, expected, "{last_copy_ms} {copy_overdue_ms} {connected}");
        assert_eq!(status.light(), if expected.is_some() { Amber } else { Green });
    }
}

#[test]
fn a_finished_scrub_is_not_overdue() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let wanted = wanted();
    let long_ago = Some("the last complete scrub was 39 d ago");
    for (last_scrub_ms, pool_scrubbed_ms, scrub_overdue_ms, connected, expected) in [
        (0, 0, NOW - 1, true, Some("the pool was never scrubbed")),
        (0, 0, NOW + 1, true, None),
        (NOW - 39 * DAY, 0, NOW - DAY, true, long_ago),
        (NOW - 39 * DAY, 0, NOW - DAY, false, None),
        (NOW - 37 * DAY, 0, NOW + DAY, true, None),
        (NOW - DAY / 2, 0, NOW - DAY, true, None),
        (NOW - 400 * DAY, 0, 0, true, None),
        // A scrub by hand delays the next one.
        (NOW - 39 * DAY, NOW - 2 * DAY, NOW - DAY, true, None),
        (NOW - 80 * DAY, NOW - 39 * DAY, NOW - 42 * DAY, true, long_ago),
        // A scrub in the future does not.
        (NOW - 39 * DAY, NOW + DAY, NOW - DAY, true, long_ago),
        (NOW + DAY, 0, NOW - DAY, true, Some("the pool was never scrubbed")),
    ] {
        let scrubbed = v1::Pool {
            scan_function: "SCRUB".into(),
            scan_state: "FINISHED".into(),
            scan_end_ms: pool_scrubbed_ms,
            ..pool("ONLINE", "ONLINE")
        };
        let schedule = v1::ScheduleFacts {
            last_scrub_ms,
            scrub_overdue_ms,
            ..v1::ScheduleFacts::default()
        };
        let late = scheduled_with(scrubbed, schedule);
        let look = Look {
            connected,
            ..look(Some(&wanted))
        };
        let (status, alerts) = seen(&late, &look);
        let mut said = alerts.iter().map(|alert| alert.text.as_str());
        assert_eq!(
            said.next_back(),
            expected,
            "{last_scrub_ms} {pool_scrubbed_ms} {scrub_overdue_ms} {connected}"
        );
        let ended = [last_scrub_ms, pool_scrubbed_ms]
            .into_iter()
            .filter(|at_ms| *at_ms <= NOW);
        assert_eq!(Some(status.last_scrub_ms), ended.max().or(Some(0)));
        assert_eq!(status.scrub_overdue, expected.is_some());
        assert_eq!(status.light(), if expected.is_some() { Amber } else { Green });
    }
}

#[test]
fn a_snapshot_is_late_after_half_an_hour() {
    const MINUTE: u64 = 60 * 1000;
    let wanted = wanted();
    let full = "could not take a snapshot of data/vm: out of space";
    for (due_ms, connected, problems, expected) in [
        (NOW + MINUTE, true, &[][..], &[][..]),
        (NOW - 30 * MINUTE, true, &[], &[]),
        (NOW - 121 * MINUTE, true, &[], &["a snapshot of data/vm is 2 h late"]),
        (NOW - 121 * MINUTE, false, &[], &[]),
        (0, true, &[], &[]),
        (NOW - MINUTE, true, &[full], &[full]),
        (
            NOW - MINUTE,
            true,
            &[full, "x"],
            &["could not take a snapshot of data/vm: out of space; and 1 more"],
        ),
    ] {
        let newest_ms = NOW - 200 * MINUTE;
        let stand = v1::SnapshotStand {
            dataset: "data/vm".into(),
            newest_ms,
            due_ms,
            ..v1::SnapshotStand::default()
        };
        let said = scheduled(v1::ScheduleFacts {
            stands: vec![stand],
            problems: problems.iter().map(ToString::to_string).collect(),
            ..v1::ScheduleFacts::default()
        });
        let look = Look {
            connected,
            ..look(Some(&wanted))
        };
        let (status, alerts) = seen(&said, &look);
        let said: Vec<&str> = alerts.iter().map(|alert| alert.text.as_str()).collect();
        assert_eq!(said, expected, "{due_ms} {connected}");
        assert_eq!(
            status.snapshot_overdue,
            due_ms > 0 && expected.len() == 1 && problems.is_empty()
        );
        assert_eq!(status.light(), if expected.is_empty() { Green } else { Amber });
        assert_eq!(status.newest_snapshot_ms, if due_ms > 0 { newest_ms } else { 0 });
    }
}

#[test]
fn a_pool_on_record_that_is_not_imported_is_red() {
    let wanted = wanted();
    let (status, alerts) = seen(&node(vec![]), &look(Some(&wanted)));
    assert_eq!((status.light(), status.pool.as_str()), (Red, "gone"));
    assert_eq!(alerts[0].next, "heeler plan a");
    assert_eq!(summary(&[status], &alerts), "1 pool cannot be used.");
}

#[test]
fn a_newly_recorded_pool_is_not_missing() {
    let wanted = wanted();
    let earlier = Node {
        facts_at_ms: NOW - 1,
        ..node(vec![])
    };
    assert_eq!(seen(&earlier, &look(Some(&wanted))).0.pool, "unknown");
}

#[test]
fn data_errors_are_red_though_the_pool_is_online() {
    let wanted = wanted();
    let bad = v1::Pool {
        errors: 3,
        ..pool("ONLINE", "ONLINE")
    };
    let (status, alerts) = seen(&node(vec![bad]), &look(Some(&wanted)));
    assert_eq!((status.light(), status.pool.as_str()), (Red, "ERRORS"));
    assert_eq!(summary(&[status], &alerts), "1 pool has data errors.");
    let bad = v1::Pool {
        errors: 3,
        ..pool("DEGRADED", "UNAVAIL")
    };
    let (status, alerts) = seen(&node(vec![bad]), &look(Some(&wanted)));
    assert_eq!(summary(&[status], &alerts), "1 pool has data errors.");
    let text = "pool data is DEGRADED with 3 data errors: S2 is UNAVAIL. Do NOT pull S1";
    assert_eq!(alerts[0].text, text);
}

#[test]
fn unseen_nodes_make_no_claim_about_data() {
    let wanted = wanted();
    let away = Node {
        last_seen_ms: NOW - 60_000,
        ..node(vec![pool("ONLINE", "ONLINE")])
    };
    let look = Look {
        connected: false,
        ..look(Some(&wanted))
    };
    let (status, alerts) = seen(&away, &look);
    let nodes = [status.clone(), status];
    let said = summary(&nodes[..1], &alerts);
    assert_eq!(
        said,
        "1 thing needs attention. 1 node is offline: the state of its data is unknown."
    );
    let said = summary(&nodes, &alerts);
    assert_eq!(
        said,
        "1 thing needs attention. 2 nodes are offline: the state of their data is unknown."
    );
}

#[test]
fn an_absence_is_amber_after_three_seconds_and_not_before() {
    let wanted = wanted();
    for (away_ms, light) in [(2_999, Green), (3_000, Amber)] {
        let away = Node {
            last_seen_ms: NOW - away_ms,
            ..node(vec![pool("ONLINE", "ONLINE")])
        };
        let look = Look {
            connected: false,
            ..look(Some(&wanted))
        };
        assert_eq!(seen(&away, &look).0.light(), light, "{away_ms}");
    }
}

#[test]
fn drift_is_amber_with_the_last_outcome() {
    let wanted = wanted();
    let other = node(vec![pool("ONLINE", "ONLINE")]);
    for (state, light, config, text) in [
        (None, Amber, "never applied", "not yet applied"),
        (Some(TaskState::Done), Amber, "pending", "not yet applied"),
        (Some(TaskState::Blocked), Amber, "pending", "ensure pool: because"),
        (Some(TaskState::Refused), Amber, "pending", "ensure pool: because"),
        (Some(TaskState::Failed), Red, "pending", "ensure pool failed: because"),
    ] {
        let look = Look {
            tasks: state.map(task).into_iter().collect(),
            matched: vec![],
            ..look(Some(&wanted))
        };
        let (status, alerts) = seen(&other, &look);
        assert_eq!((status.light(), status.config.as_str()), (light, config), "{state:?}");
        assert_eq!(alerts[0].text, text, "{state:?}");
    }
}

#[test]
fn a_busy_node_gets_no_plan_advice() {
    let wanted = wanted();
    let other = node(vec![]);
    let look = Look {
        tasks: vec![task(TaskState::Running)],
        matched: vec![],
        pools: vec![],
        ..look(Some(&wanted))
    };
    let (status, alerts) = seen(&other, &look);
    assert_eq!(
        (status.light(), status.task.as_str()),
        (Green, "ensure pool"),
        "{alerts:?}"
    );
}

#[test]
fn a_failure_clears_when_the_node_converges() {
    let wanted = wanted();
    let look = Look {
        tasks: vec![task(TaskState::Failed)],
        ..look(Some(&wanted))
    };
    assert_eq!(seen(&node(vec![pool("ONLINE", "ONLINE")]), &look).0.light(), Green);
}

#[test]
fn a_revoked_node_raises_nothing_unless_heeler_toml_names_it() {
    let revoked = Node {
        state: NodeState::Revoked,
        last_seen_ms: 0,
        ..node(vec![])
    };
    let look = Look {
        connected: false,
        ..look(None)
    };
    assert_eq!(seen(&revoked, &look).1, []);
    let wanted = wanted();
    let alerts = seen(&revoked, &self::look(Some(&wanted))).1;
    assert_eq!((alerts.len(), alerts[0].light()), (1, Amber));
    assert!(alerts[0].text.contains("revoked"), "{alerts:?}");
}

#[test]
fn an_empty_fleet_gets_the_first_command() {
    assert_eq!(summary(&[], &[]), "no nodes yet");
    assert!(next(&[], &[], false).starts_with("heeler node add"));
}
