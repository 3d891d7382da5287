//! Real agents on simulated machines: from blank disks to a pool on record, over restarts, kills and power cuts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod disks;

use heeler_coordinator::clock::Clock as _;
use heeler_host::sim::{Content, DiskSpec, Machine};
use heeler_proto::v1::{self, Light, StepOutcome, from_agent, to_agent};
use heeler_tests::{Herd, Line, Node, Operator, Stranger, config, consents};
use tonic::Code;

const DISKS: &[&str] = &["S6XNNS0W100001", "S6XNNS0W100002"];

fn machine(name: &str, disks: &[&str]) -> Machine {
    disks
        .iter()
        .fold(Machine::builder(name), |builder, serial| builder.blank(serial))
        .build()
}

/// The zpool create commands that a machine was asked for.
fn creations(node: &Node) -> usize {
    let log = node.machine.log();
    log.iter()
        .filter(|entry| entry.mutates && entry.what.starts_with("zpool create"))
        .count()
}

async fn finished(operator: &mut Operator, reply: &v1::ApplyReply) -> v1::TaskInfo {
    let task_id = reply.task_ids[0].clone();
    let request = v1::EventsRequest {
        task_id: task_id.clone(),
        follow: true,
        ..Default::default()
    };
    let mut events = operator.events(request).await.unwrap().into_inner();
    while events.message().await.unwrap().unwrap().kind != "task finished" {}
    operator
        .show_task(v1::ShowTaskRequest { task_id })
        .await
        .unwrap()
        .into_inner()
}

fn outcomes(plan: &v1::NodePlan) -> Vec<StepOutcome> {
    plan.steps.iter().map(v1::StepReport::outcome).collect()
}

#[tokio::test]
async fn a_blank_node_gets_its_pool_and_a_second_apply_changes_nothing() {
    let herd = Herd::new().await;
    let node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let text = config(&[("a", DISKS)]);

    let plan = operator.plan_text(&text, 0).await;
    assert_eq!(plan.nodes[0].error, "");
    assert!(
        outcomes(&plan.nodes[0]).contains(&StepOutcome::Change),
        "{:?}",
        plan.nodes[0]
    );
    assert_eq!(creations(&node), 0, "a plan changes nothing");

    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    assert_eq!((reply.revision, reply.task_ids.len()), (1, 1));
    let task = finished(&mut operator, &reply).await;
    assert_eq!((task.state.as_str(), task.reason.as_str()), ("done", ""));
    assert_eq!(creations(&node), 1);

    let again = operator.plan_text(&text, 1).await;
    assert_eq!(again.nodes[0].task_id, "", "{:?}", again.nodes[0]);
    let reply = operator.apply_plan(&again, herd.clock.now_ms()).await.unwrap();
    assert_eq!((reply.revision, reply.task_ids.len()), (1, 0));

    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Green, "{status:?}");
    assert_eq!(
        (status.nodes[0].pool.as_str(), status.nodes[0].config.as_str()),
        ("ok", "same")
    );
    assert_eq!((status.nodes[0].legs, status.nodes[0].legs_online), (2, 2));

    let disks = operator
        .list_disks(v1::ListDisksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .disks;
    let recorded: Vec<_> = disks.iter().filter(|disk| !disk.recorded_guid.is_empty()).collect();
    assert_eq!(recorded.len(), 2, "both legs are on record");
}

#[tokio::test]
async fn a_live_disk_is_not_even_planned_for_erasure() {
    let herd = Herd::new().await;
    let _node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    finished(&mut operator, &reply).await;
    let status = operator
        .plan_erase(v1::PlanEraseRequest {
            serial: DISKS[0].into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("on record"), "{}", status.message());
    let status = operator
        .plan_erase(v1::PlanEraseRequest {
            serial: "NOBODY".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn without_a_fitting_consent_nothing_is_accepted_and_nothing_begins() {
    let herd = Herd::new().await;
    let node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let good = consents(&operator.key, &plan.nodes[0], herd.clock.now_ms());
    let apply = |consents: Vec<v1::Consent>| v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        consents,
        ..v1::ApplyRequest::default()
    };
    let forged = |change: fn(&mut v1::Consent)| {
        let mut consents = good.clone();
        change(&mut consents[0]);
        consents
    };
    let other = herd.second_operator_key();
    let stranger = consents(&other, &plan.nodes[0], herd.clock.now_ms());
    let expired = consents(&operator.key, &plan.nodes[0], herd.clock.now_ms() - 60 * 60 * 1000);
    for (what, given) in [
        ("none", vec![]),
        ("of another node", forged(|consent| consent.node = "b".into())),
        ("of another task", forged(|consent| consent.task_id = "0".repeat(32))),
        ("for something else", forged(|consent| consent.act_sha256 = vec![0; 32])),
        (
            "by an unknown operator",
            forged(|consent| consent.operator = "you".into()),
        ),
        ("by an unknown key", stranger),
        ("expired", expired),
        (
            "one too many",
            [good.clone(), forged(|consent| consent.id = "0".repeat(32))].concat(),
        ),
    ] {
        let status = operator.apply(apply(given)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{what}: {status:?}");
    }
    let revision = operator
        .accepted_revision(v1::AcceptedRevisionRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(revision.number, 0, "all or nothing");
    assert_eq!(creations(&node), 0);
    operator.apply(apply(good)).await.unwrap();
}

#[tokio::test]
async fn an_apply_that_is_repeated_answers_the_same_and_starts_nothing_twice() {
    let herd = Herd::new().await;
    let node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let first = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    let second = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    assert_eq!(first, second);
    finished(&mut operator, &first).await;
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn an_old_checkout_does_not_overwrite_what_it_has_not_seen() {
    let herd = Herd::new().await;
    let mut operator = herd.operator().await;
    let (first, second) = (config(&[("a", DISKS)]), config(&[("a", &[])]));
    let plan = operator.plan_text(&first, 0).await;
    operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();

    let stale = operator.plan_text(&second, 0).await;
    assert!(stale.behind);
    let status = operator.apply_plan(&stale, herd.clock.now_ms()).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert!(
        status.message().contains("heeler revision show"),
        "{}",
        status.message()
    );

    let same = operator.plan_text(&first, 0).await;
    assert!(!same.behind, "the same text undoes nothing");
    assert_eq!(
        operator.apply_plan(&same, herd.clock.now_ms()).await.unwrap().revision,
        1
    );

    let request = v1::ApplyRequest {
        plan_id: stale.plan_id,
        overwrite: true,
        ..Default::default()
    };
    assert_eq!(operator.apply(request).await.unwrap().into_inner().revision, 2);
    let seen = operator.plan_text(&first, 2).await;
    assert_eq!(
        operator.apply_plan(&seen, herd.clock.now_ms()).await.unwrap().revision,
        3
    );
}

#[tokio::test]
async fn a_node_that_is_away_is_told_of_and_nothing_is_queued_for_it() {
    let herd = Herd::new().await;
    let mut node = Node::added(&herd, machine("a", DISKS), "a").await;
    node.kill();
    let mut operator = herd.operator().await;
    operator.wait_for("lost", "a").await;
    let plan = operator
        .plan_text(&config(&[("a", DISKS), ("b", &["X1", "X2"])]), 0)
        .await;
    assert!(plan.nodes[0].offline_since_ms > 0 && plan.nodes[0].enrolled);
    assert!(!plan.nodes[1].enrolled);
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    assert!(reply.task_ids.is_empty());
    herd.clock.advance(15_000);
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Amber);
    assert!(
        status
            .alerts
            .iter()
            .any(|alert| alert.node == "a" && alert.text.contains("offline")),
        "{status:?}"
    );
    assert!(
        status
            .alerts
            .iter()
            .any(|alert| alert.node == "b" && alert.next.contains("node add b")),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_coordinator_killed_in_the_middle_of_an_apply_goes_on_where_it_was() {
    let mut herd = Herd::new().await;
    let node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    operator.wait_after(reply.after_event, "task started", "a").await;
    herd.kill().await;
    herd.start().await.unwrap();

    let mut operator = herd.operator().await;
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state, "done", "{task:?}");
    assert_eq!(creations(&node), 1);
    let request = v1::EventsRequest {
        task_id: task.task_id,
        ..Default::default()
    };
    let mut events = operator.events(request).await.unwrap().into_inner();
    let mut ends = 0;
    while let Some(event) = events.message().await.unwrap() {
        ends += u32::from(event.kind == "task finished");
    }
    assert_eq!(ends, 1, "an outcome arrives once");
}

#[tokio::test]
async fn when_coordinator_and_agent_are_killed_right_after_the_apply_the_task_is_done_once() {
    let mut herd = Herd::new().await;
    let mut node = Node::added(&herd, machine("a", DISKS), "a").await;
    let mut operator = herd.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    node.kill();
    herd.kill().await;
    herd.start().await.unwrap();
    node.start();
    let task = finished(&mut herd.operator().await, &reply).await;
    assert_eq!(task.state, "done", "{task:?}");
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn a_power_cut_at_any_moment_of_the_task_ends_in_one_pool() {
    for later in [3, 20, 60, 110] {
        let herd = Herd::new().await;
        let node = Node::added(&herd, machine("a", DISKS), "a").await;
        let mut operator = herd.operator().await;
        let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
        node.machine.cut_power_at(node.machine.points() + later);
        let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
        let task = finished(&mut operator, &reply).await;
        let half_made = task
            .blocked
            .as_ref()
            .is_some_and(|blocked| blocked.next.contains("heeler disk erase"));
        assert!(task.state == "done" || half_made, "{later}: {task:?}");
    }
}

#[tokio::test]
async fn a_task_that_nobody_took_for_an_hour_is_refused() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    let mut operator = herd.operator().await;
    let plan = planned(&herd, &mut line).await;
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    line.next_that(assignment).await;

    herd.clock.advance(60 * 60 * 1000);
    // Anything wakes the planner.
    drop(line);
    operator.wait_after(reply.after_event, "refused", "a").await;
    let task_id = reply.task_ids[0].clone();
    let task = operator
        .show_task(v1::ShowTaskRequest { task_id })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(task.state, "refused");
    assert!(task.reason.contains("heeler plan"), "{}", task.reason);
}

/// A plan in which the hand-made agent would change something.
async fn planned(herd: &Herd, line: &mut Line) -> v1::PlanReply {
    let text = config(&[("a", DISKS)]);
    let planning = tokio::spawn({
        let mut operator = herd.operator().await;
        async move { operator.plan_text(&text, 0).await }
    });
    let request_id = line.next_that(preview).await;
    let step = v1::StepReport {
        step: "X".into(),
        outcome: StepOutcome::Change.into(),
        ..Default::default()
    };
    let reply = v1::PreviewReply {
        request_id,
        steps: vec![step],
        ..Default::default()
    };
    line.say(from_agent::Body::Preview(reply)).await;
    planning.await.unwrap()
}

fn preview(body: to_agent::Body) -> Option<String> {
    match body {
        to_agent::Body::Preview(request) => Some(request.request_id),
        _ => None,
    }
}

fn assignment(body: to_agent::Body) -> Option<v1::Assignment> {
    match body {
        to_agent::Body::Assignment(assignment) => Some(assignment),
        _ => None,
    }
}

#[tokio::test]
async fn a_task_is_handed_out_again_over_a_new_session_as_the_same_generation() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    let mut operator = herd.operator().await;
    let plan = planned(&herd, &mut line).await;
    operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    let first = line.next_that(assignment).await;
    assert_eq!(first.generation, Some(v1::Generation { epoch: 1, counter: 1 }));
    drop(line);

    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    let second = line.next_that(assignment).await;
    assert_eq!(first, second);
    drop(line);

    // It took it, has it not in hand, and has nothing to tell: no outcome will ever come.
    let hello = v1::Hello {
        generation: first.generation,
        ..Stranger::hello("a")
    };
    let _line = stranger.join(hello).await.unwrap();
    operator.wait_for("failed", "a").await;
    let task_id = first.task_id;
    let task = operator
        .show_task(v1::ShowTaskRequest { task_id })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(task.state, "failed");
}

#[tokio::test]
async fn a_node_revoked_in_the_middle_of_its_task_is_shut_out_and_the_task_is_over() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    let mut operator = herd.operator().await;
    let plan = planned(&herd, &mut line).await;
    let reply = operator.apply_plan(&plan, herd.clock.now_ms()).await.unwrap();
    let given = line.next_that(assignment).await;
    let accepted = v1::AssignmentReply {
        task_id: given.task_id.clone(),
        generation: given.generation,
        accepted: true,
        reason: String::new(),
    };
    line.say(from_agent::Body::Assignment(accepted)).await;
    operator.wait_after(reply.after_event, "accepted", "a").await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();
    operator.wait_after(reply.after_event, "failed", "a").await;
    let task_id = given.task_id;
    let task = operator
        .show_task(v1::ShowTaskRequest { task_id })
        .await
        .unwrap()
        .into_inner();
    assert!(task.reason.contains("revoked"), "{task:?}");
}
