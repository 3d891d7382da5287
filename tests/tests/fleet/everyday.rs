//! Everyday operation: changes by hand are reported; a node is released, removed and added again.

use heeler_coordinator::clock::Clock as _;
use heeler_host::System as _;
use heeler_proto::v1::{self, Light};
use heeler_tests::{BareAgent, Fleet, NOON, Node, Operator, config};
use tonic::Code;

use crate::scene::{DISKS, creations, machine, pooled};

async fn status(operator: &mut Operator) -> v1::StatusReply {
    operator.status(v1::StatusRequest {}).await.unwrap().into_inner()
}

async fn drift(operator: &mut Operator) -> Option<v1::Drift> {
    let request = v1::ShowNodeRequest { node: "a".into() };
    operator.show_node(request).await.unwrap().into_inner().drift
}

/// Moves the clock until the planner has compared the node.
async fn compared(fleet: &Fleet, operator: &mut Operator, after_ms: u64) -> v1::Drift {
    loop {
        fleet.clock.advance(61_000);
        // Any event wakes the planner.
        let pause = v1::PauseNodeRequest {
            node: "a".into(),
            ..v1::PauseNodeRequest::default()
        };
        operator.pause_node(pause).await.unwrap();
        let resume = v1::ResumeNodeRequest { node: "a".into() };
        operator.resume_node(resume).await.unwrap();
        if let Some(drift) = drift(operator).await.filter(|drift| drift.at_ms > after_ms) {
            return drift;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn drift_is_amber_and_never_corrected_unasked() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let first = compared(&fleet, &mut operator, 0).await;
    assert!(first.steps.iter().all(|step| step.ops.is_empty()), "{first:?}");
    assert_eq!(status(&mut operator).await.nodes[0].config, "same");

    node.machine
        .put_file("/etc/modprobe.d/zz-heeler-zfs.conf", b"options zfs zfs_arc_max=1\n")
        .unwrap();
    let before = node.machine.log().iter().filter(|entry| entry.mutates).count();
    fleet.clock.advance(31 * 60 * 1000);
    let second = compared(&fleet, &mut operator, first.at_ms).await;
    let differs: Vec<_> = second.steps.iter().filter(|step| !step.ops.is_empty()).collect();
    assert!(!differs.is_empty(), "{second:?}");
    let seen = status(&mut operator).await;
    assert_eq!(
        (seen.nodes[0].config.as_str(), seen.nodes[0].light()),
        ("by hand", Light::Amber)
    );
    assert!(
        seen.alerts.iter().any(|alert| alert.next == "heeler plan a"),
        "{seen:?}"
    );
    let after = node.machine.log().iter().filter(|entry| entry.mutates).count();
    assert_eq!(before, after, "it was looked at, and nothing else");
}

async fn release(operator: &mut Operator, go: bool) -> Result<v1::ReleaseNodeReply, tonic::Status> {
    let request = v1::ReleaseNodeRequest { node: "a".into(), go };
    operator.release_node(request).await.map(tonic::Response::into_inner)
}

async fn remove(operator: &mut Operator, words: &[&str]) -> Result<v1::RemoveNodeReply, tonic::Status> {
    let request = v1::RemoveNodeRequest {
        node: "a".into(),
        go: true,
        confirmed: words.iter().map(ToString::to_string).collect(),
    };
    operator.remove_node(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_released_node_is_added_again_with_its_new_key() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    assert!(release(&mut operator, true).await.unwrap().released);
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 1).await;
    assert!(plan.nodes[0].released && !plan.nodes[0].revoked, "{plan:?}");
    let key = "/var/lib/heeler-agent/identity/key.pem".as_ref();
    while node.machine.read(key).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let machine = node.machine.clone();
    drop(node);
    let _node = Node::added(&fleet, machine, "a").await;
    assert_eq!(
        crate::scene::node_a(&mut operator).await.state(),
        v1::NodeState::Enrolled
    );
    let tasks = operator.list_tasks(v1::ListTasksRequest { limit: 0 }).await.unwrap();
    assert!(!tasks.into_inner().tasks.is_empty(), "its history stays");
}

#[tokio::test]
async fn a_released_node_returns_with_its_pool() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let hostid = crate::scene::node_a(&mut operator).await.hostid;

    let refused = remove(&mut operator, &["a/data"]).await.unwrap_err();
    assert!(refused.message().contains("heeler node release a"), "{refused:?}");

    let told = release(&mut operator, false).await.unwrap();
    assert!(!told.released && told.node.unwrap().stops.len() >= 2);
    assert!(
        node.machine.read("/etc/heeler/agent.json".as_ref()).await.is_err(),
        "the test's agent has no file"
    );
    assert!(release(&mut operator, true).await.unwrap().released);
    let key = "/var/lib/heeler-agent/identity/key.pem".as_ref();
    while node.machine.read(key).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        crate::scene::node_a(&mut operator).await.state(),
        v1::NodeState::Released
    );
    // Without its lines in heeler.toml the status does not mention the node.
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert!(
        status.alerts.iter().all(|alert| !alert.text.contains("revoked")),
        "{status:?}"
    );

    // Removing the pool's record needs its name.
    let refused = remove(&mut operator, &[]).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("--confirm a/data"), "{refused:?}");
    assert!(remove(&mut operator, &["a/data"]).await.unwrap().removed);
    let nodes = operator.list_nodes(v1::ListNodesRequest {}).await.unwrap().into_inner();
    assert!(nodes.nodes.is_empty());
    let tasks = operator
        .list_tasks(v1::ListTasksRequest { limit: 0 })
        .await
        .unwrap()
        .into_inner();
    assert!(tasks.tasks.is_empty(), "a removed node is in no list: {tasks:?}");

    let node = {
        let machine = node.machine.clone();
        drop(node);
        Node::added(&fleet, machine, "a").await
    };
    assert_eq!(
        crate::scene::node_a(&mut operator).await.hostid,
        hostid,
        "a name keeps its hostid"
    );
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 1).await;
    let irreversible = |step: &v1::StepReport| step.ops.iter().any(|op| op.irreversible.is_some());
    let steps = &plan.nodes[0].steps;
    assert!(
        !steps.iter().any(|step| irreversible(step) || step.blocked.is_some()),
        "the pool is taken over as it is: {steps:?}"
    );
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn only_a_missing_pool_can_be_forgotten() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let forget = |confirmed: &str| v1::ForgetPoolRequest {
        node: "a".into(),
        pool: "data".into(),
        go: true,
        confirmed: confirmed.into(),
    };
    let discover = || v1::DiscoverRequest { node: "a".into() };
    operator.discover(discover()).await.unwrap();
    let refused = operator.forget_pool(forget("a/data")).await.unwrap_err();
    assert!(refused.message().contains("it is not gone"), "{refused:?}");
    for serial in DISKS {
        node.machine.pull_disk(serial);
    }
    let last = operator.wait_for(v1::EventKind::Connected, "a").await.id;
    node.machine.cut_power();
    operator.wait_after(last, v1::EventKind::Connected, "a").await;
    operator.discover(discover()).await.unwrap();
    let refused = operator.forget_pool(forget("data")).await.unwrap_err();
    assert!(refused.message().contains("--confirm a/data"), "{refused:?}");
    assert!(
        operator
            .forget_pool(forget("a/data"))
            .await
            .unwrap()
            .into_inner()
            .forgotten
    );
    let status = status(&mut operator).await;
    assert_eq!(status.nodes[0].pool, "none", "{status:?}");
}

#[tokio::test]
async fn a_pause_on_the_node_itself_is_shown_and_honoured() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let hold = heeler_agent::Hold {
        reason: "smoke".into(),
        since_ms: 1,
        until_ms: 0,
    };
    heeler_agent::hold::set(&node.machine, &hold).await.unwrap();
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    assert!(plan.nodes[0].pause.as_ref().unwrap().on_node);
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert!(reply.task_ids.is_empty());
    heeler_agent::hold::lift(&node.machine).await.unwrap();
    pooled(&fleet, &mut operator).await;
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn an_alarm_is_told_apart_by_what_it_is_about() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let hours_behind = |hours: u64| v1::Hello {
        clock_ms: NOON - hours * 3_600_000,
        ..BareAgent::hello("a")
    };
    agent.join(hours_behind(2)).await.unwrap();
    let _first = agent.join(hours_behind(3)).await.unwrap();
    for board in ["copy-1", "copy-2", "copy-2"] {
        let copy = v1::Hello {
            hardware_serial: board.into(),
            ..BareAgent::hello("a")
        };
        assert!(agent.join(copy).await.is_err());
    }
    let mut operator = fleet.operator().await;
    let mut alarms = alarms(&status(&mut operator).await);
    alarms.sort();
    let [first, second, clock] = alarms.as_slice() else {
        panic!("{alarms:?}")
    };
    assert!(clock.2.contains("3 h behind"), "{clock:?}");
    assert_eq!((first.0, first.1.as_str()), (v1::AlarmKind::KeyCopied, "copy-1"));
    assert_eq!((second.0, second.1.as_str()), (v1::AlarmKind::KeyCopied, "copy-2"));
    assert_eq!(first.2, second.2, "one text, two alarms");
    let seen = operator.seen_alarms(v1::SeenAlarmsRequest::default()).await.unwrap();
    assert_eq!(seen.into_inner().alarms, 3);
}

fn alarms(status: &v1::StatusReply) -> Vec<(v1::AlarmKind, String, String)> {
    let alarms = status
        .alerts
        .iter()
        .filter(|alert| alert.alarm() != v1::AlarmKind::Unspecified);
    let alarms = alarms.map(|alert| (alert.alarm(), alert.subject.clone(), alert.text.clone()));
    alarms.collect()
}

#[tokio::test]
async fn a_seen_alarm_leaves_the_status() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let _first = agent.join(BareAgent::hello("a")).await.unwrap();
    let hello = || v1::Hello {
        hardware_serial: "another".into(),
        ..BareAgent::hello("a")
    };
    assert!(agent.join(hello()).await.is_err());
    let mut operator = fleet.operator().await;
    let alarms = |status: &v1::StatusReply| alarms(status).len();
    assert!(alarms(&status(&mut operator).await) > 0);
    operator.seen_alarms(v1::SeenAlarmsRequest::default()).await.unwrap();
    assert_eq!(alarms(&status(&mut operator).await), 0);
    fleet.clock.advance(1_000);
    assert!(agent.join(hello()).await.is_err());
    assert!(alarms(&status(&mut operator).await) > 0, "it came again");

    // Marked as seen while the clock was a day ahead; a later alarm is still new.
    fleet.clock.set(NOON + 86_400_000);
    operator.seen_alarms(v1::SeenAlarmsRequest::default()).await.unwrap();
    fleet.clock.set(NOON + 2_000);
    assert!(agent.join(hello()).await.is_err());
    assert!(
        alarms(&status(&mut operator).await) > 0,
        "a clock that was ahead hides it"
    );
}

#[tokio::test]
async fn an_oversized_request_of_an_operator_is_refused_by_name() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let refused = operator.plan(v1::PlanRequest {
        text: "#".repeat(2 << 20),
        ..v1::PlanRequest::default()
    });
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        refused.message(),
        "Plan refused: text of 2097152 bytes, at most 1048576"
    );
    let long = v1::ShowTaskRequest {
        task_id: "x".repeat(3 << 20),
    };
    let refused = operator.show_task(long).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "ShowTask refused: task_id of 3145728 bytes, at most 256"
    );
    let tasks = operator.list_tasks(v1::ListTasksRequest { limit: u32::MAX }).await;
    assert!(!tasks.unwrap().into_inner().more);
}
