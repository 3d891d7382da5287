//! Lower snapshot counts take effect only with a consent to exactly the snapshots that go.

use std::time::Duration;

use heeler_coordinator::clock::Clock as _;
use heeler_host::zfs;
use heeler_proto::v1::{self, irreversible::Act};
use heeler_tests::{Fleet, Node, Operator, config};
use tonic::Code;

use crate::scene::{DISKS, finished, machine, pooled};

const FILES: &str = "data/pve-files";

/// Moves both clocks; the schedule does not run.
fn pass(fleet: &Fleet, node: &Node, time: Duration) {
    node.machine.pass(time);
    fleet.clock.advance(u64::try_from(time.as_millis()).unwrap());
}

/// A node with thirty hours of scheduled snapshots and one made by hand.
async fn fleet() -> (Fleet, Node, Operator) {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    pooled(&fleet, &mut fleet.operator().await).await;
    fleet.stop().await;
    let time = Duration::from_secs(30 * 60 * 60);
    node.live_alone(time).await;
    fleet.clock.advance(u64::try_from(time.as_millis()).unwrap());
    by_hand(&node, &["snapshot", "data/pve-files@by-hand"]);
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    let last = operator.wait_for(v1::EventKind::Connected, "a").await.id;
    node.kill();
    node.start();
    operator.wait_after(last, v1::EventKind::Connected, "a").await;
    (fleet, node, operator)
}

fn by_hand(node: &Node, args: &[&str]) {
    let done = node.machine.by_hand("zfs", args);
    assert!(done.ok(), "{args:?}: {}", done.stderr);
}

async fn there(node: &Node) -> Vec<String> {
    let listing = zfs::snapshots(&node.machine, &[FILES]).await.unwrap().pop().unwrap();
    let snapshots = listing.snapshots.unwrap().into_iter();
    snapshots.map(|one| format!("{FILES}@{}", one.name)).collect()
}

fn six_hours() -> String {
    let policy = "\n[[snapshots]]\ndatasets = [\"data/pve-files\"]\nkeep = { hourly = 6, daily = 14, weekly = 8 }\n";
    config(&[("a", DISKS)]) + policy
}

/// The snapshots that a plan would destroy.
fn victims(plan: &v1::PlanReply) -> Vec<String> {
    let ops = plan.nodes[0].steps.iter().flat_map(|step| &step.ops);
    let acts = ops.filter_map(|op| op.irreversible.as_ref()?.act.as_ref());
    let lowered = acts.filter_map(|act| match act {
        Act::LowerKeep(lower) => Some(lower.victims.iter().map(|one| one.name.clone())),
        _ => None,
    });
    lowered.flatten().collect()
}

#[tokio::test]
async fn a_lower_count_prunes_only_with_consent() {
    let (fleet, node, mut operator) = fleet().await;
    let before = there(&node).await;
    let schedule = node.machine.file("/var/lib/heeler-agent/schedule/snapshots");
    let plan = operator.plan_text(&six_hours(), 1).await;
    let ours = before.iter().filter(|name| name.contains("@heeler_"));
    let ours: Vec<String> = ours.cloned().collect();
    // Snapshots that the old counts prune anyway need no consent.
    let mut expected = ours[ours.len() - 24..ours.len() - 6].to_vec();
    expected.retain(|name| name.ends_with("_hourly"));
    assert!(expected.len() > 15, "{before:?}");
    assert_eq!(victims(&plan), expected);

    let without = v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        ..v1::ApplyRequest::default()
    };
    let refused = operator.apply(without).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    assert_eq!(node.machine.file("/var/lib/heeler-agent/schedule/snapshots"), schedule);
    assert_eq!(there(&node).await, before);
    drop(fleet);
}

#[tokio::test]
async fn changed_victims_void_the_consent() {
    let (fleet, node, mut operator) = fleet().await;
    let text = six_hours();
    let mut parent = 1;
    let new = "data/pve-files@heeler_20260302T180001Z_hourly";
    for meanwhile in ["hold", "clone", "snapshot"] {
        let plan = operator.plan_text(&text, parent).await;
        let (first, before) = (victims(&plan)[0].clone(), there(&node).await);
        match meanwhile {
            "hold" => by_hand(&node, &["hold", "mine", &first]),
            "clone" => by_hand(&node, &["clone", "-o", "mountpoint=none", &first, "data/clone"]),
            _ => by_hand(&node, &["snapshot", "-o", "heeler:class=hourly", new]),
        }
        let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
        let task = finished(&mut operator, &reply).await;
        assert_eq!(task.state(), v1::TaskState::Blocked, "{meanwhile}: {task:?}");
        let found = task.blocked.unwrap().found;
        assert!(found.contains("the machine has changed"), "{meanwhile}: {found}");
        let now = there(&node).await;
        assert!(before.iter().all(|name| now.contains(name)), "{meanwhile}: {now:?}");
        parent = reply.revision;
    }

    // An hour later the last of the snapshots is old enough.
    pass(&fleet, &node, Duration::from_secs(70 * 60));
    let before = there(&node).await;
    let plan = operator.plan_text(&text, parent).await;
    let victims = victims(&plan);
    assert!(victims.len() > 15, "{victims:?}");
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Done, "{task:?}");
    operator
        .wait_after(reply.after_event, v1::EventKind::Snapshots, "a")
        .await;
    let after = there(&node).await;
    let gone = before.iter().filter(|name| !after.contains(name)).cloned();
    let (agreed, others): (Vec<String>, Vec<String>) = gone.partition(|name| victims.contains(name));
    assert_eq!(agreed, victims);
    let by_old_counts = &before[..before.len() - 1 - 24];
    assert!(others.iter().all(|name| by_old_counts.contains(name)), "{others:?}");
}

#[tokio::test]
async fn replacing_the_default_policy_needs_consent() {
    let (_fleet, node, mut operator) = fleet().await;
    let schedule = node.machine.file("/var/lib/heeler-agent/schedule/snapshots");
    let other = "\n[[snapshots]]\ndatasets = [\"data/vm\"]\nkeep = { daily = 7 }\n";
    let plan = operator.plan_text(&(config(&[("a", DISKS)]) + other), 1).await;
    let ops = plan.nodes[0].steps.iter().flat_map(|step| &step.ops);
    let mut acts = ops.filter_map(|op| op.irreversible.as_ref()?.act.as_ref());
    let Some(Act::LowerKeep(lower)) = acts.next() else {
        panic!("nobody is asked: {plan:?}");
    };
    let [change] = lower.changes.as_slice() else {
        panic!("{lower:?}");
    };
    assert_eq!((change.dataset.as_str(), change.after.as_str()), (FILES, ""));
    assert!(lower.victims.is_empty(), "{lower:?}");
    let without = v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        ..v1::ApplyRequest::default()
    };
    let refused = operator.apply(without).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    assert_eq!(node.machine.file("/var/lib/heeler-agent/schedule/snapshots"), schedule);
}

#[tokio::test]
async fn a_policy_for_others_ends_defaults_only_with_consent() {
    let fleet = Fleet::new().await;
    let _a = Node::added(&fleet, machine("a", &["A1", "A2"]), "a").await;
    let _b = Node::added(&fleet, machine("b", &["B1", "B2"]), "b").await;
    let mut operator = fleet.operator().await;
    let text = config(&[("a", &["A1", "A2"]), ("b", &["B1", "B2"])]) + "pool = { name = \"tank\" }\n";
    let plan = operator.plan_text(&text, 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    finished(&mut operator, &reply).await;
    let policy = "\n[[snapshots]]\ndatasets = [\"data/pve-files\"]\nkeep = { hourly = 24, daily = 14, weekly = 8 }\n";
    let plan = operator.plan_text(&(text + policy), 1).await;
    let of_b = plan.nodes.iter().filter(|node| node.node == "b");
    let ops = of_b.flat_map(|node| &node.steps).flat_map(|step| &step.ops);
    let mut acts = ops.filter_map(|op| op.irreversible.as_ref()?.act.as_ref());
    let Some(Act::LowerKeep(lower)) = acts.next() else {
        panic!("nobody is asked: {plan:?}");
    };
    let ends: Vec<(&str, &str)> = lower
        .changes
        .iter()
        .map(|change| (change.dataset.as_str(), change.after.as_str()))
        .collect();
    assert_eq!(ends, [("tank/pve-files", "")]);
}

#[tokio::test]
async fn a_full_pool_turns_the_status_amber() {
    let (fleet, mut node, mut operator) = fleet().await;
    node.machine.set_pool_full("data", true);
    pass(&fleet, &node, Duration::from_secs(150 * 60));
    node.kill();
    node.start();
    let mut events = operator.follow(0).await;
    loop {
        let event = events
            .message()
            .await
            .unwrap()
            .unwrap()
            .event
            .and_then(|event| event.kind);
        if let Some(v1::event::Kind::Snapshots(run)) = event
            && run.problems.iter().any(|problem| problem.contains("out of space"))
        {
            break;
        }
    }
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let said: Vec<&str> = status.alerts.iter().map(|alert| alert.text.as_str()).collect();
    assert!(status.nodes[0].snapshot_overdue, "{said:?}");
    let has = |part: &str| said.iter().any(|text| text.contains(part));
    assert!(
        has("out of space") && has("a snapshot of data/pve-files is"),
        "{said:?}"
    );
    assert_eq!(status.nodes[0].light(), v1::Light::Amber, "{said:?}");
}

#[tokio::test]
async fn a_policy_for_a_missing_dataset_stops_no_other() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let policy = "\n[[snapshots]]\ndatasets = [\"data/pve-files\", \"data/vm/vm-100-disk-0\"]\nkeep = { hourly = 3 }\n";
    let text = config(&[("a", DISKS)]) + policy;
    let plan = operator.plan_text(&text, 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    finished(&mut operator, &reply).await;
    let schedule = node.machine.file("/var/lib/heeler-agent/schedule/snapshots").unwrap();
    let schedule = String::from_utf8(schedule).unwrap();
    assert!(schedule.contains("data/vm/vm-100-disk-0  3 hourly"), "{schedule}");
    let mut events = operator.follow(0).await;
    loop {
        let event = events
            .message()
            .await
            .unwrap()
            .unwrap()
            .event
            .and_then(|event| event.kind);
        if let Some(v1::event::Kind::Snapshots(run)) = event {
            assert!(
                run.taken.iter().any(|one| one.starts_with("data/pve-files@")),
                "{run:?}"
            );
            assert!(
                run.problems[0].starts_with("there is no dataset data/vm/vm-100-disk-0"),
                "{run:?}"
            );
            break;
        }
    }
    let again = operator.plan_text(&text, 1).await;
    let changes = again.nodes[0]
        .steps
        .iter()
        .filter(|step| step.outcome() != v1::StepOutcome::Satisfied);
    assert_eq!(changes.count(), 0, "{again:?}");
}
