//! The commands for a person on the node.

use std::path::Path;
use std::sync::Arc;

use heeler_host::sim::{Loss, Machine};
use heeler_host::{System, UnitAction};
use heeler_proto::v1::{TaskOutcome, event::Kind, from_agent, to_agent};

use super::coordinator::{Coordinator, Session};
use super::node::Node;
use crate::{Hold, hold, node_status, release};

async fn pooled() -> (Coordinator, Node, Session) {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    let mut session = coordinator.welcomed(0).await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    session.send(to_agent::Body::Assignment(assignment)).await;
    loop {
        let event = session.event().await.unwrap();
        session.acknowledge(event.seq).await;
        if let Some(Kind::TaskFinished(finished)) = event.kind {
            assert_eq!(finished.outcome(), TaskOutcome::Done, "{finished:?}");
            return (coordinator, node, session);
        }
    }
}

#[tokio::test]
async fn a_paused_node_refuses_tasks_and_names_the_operator() {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    let mut session = coordinator.welcomed(0).await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    let now = Hold {
        reason: "new fan".into(),
        since_ms: node.machine.now_ms(),
        until_ms: 0,
    };
    hold::set(&node.machine, &now).await.unwrap();
    session.send(to_agent::Body::Assignment(assignment.clone())).await;
    let answered = |body| match body {
        from_agent::Body::Assignment(reply) => Some(reply),
        _ => None,
    };
    let reply = session.answer(answered).await;
    assert!(
        !reply.accepted && reply.reason.contains("sudo heeler-agent resume"),
        "{reply:?}"
    );
    hold::lift(&node.machine).await.unwrap();
    session.send(to_agent::Body::Assignment(assignment)).await;
    assert!(session.answer(answered).await.accepted);
}

#[tokio::test]
async fn a_paused_node_is_not_released() {
    let machine = Machine::builder("a").build();
    let now = Hold {
        reason: "new fan".into(),
        since_ms: 1,
        until_ms: 0,
    };
    hold::set(&machine, &now).await.unwrap();
    let plan = release::plan(&machine).await.unwrap();
    assert!(plan.refused.contains("heeler-agent resume"), "{plan:?}");
    hold::lift(&machine).await.unwrap();
    assert_eq!(release::plan(&machine).await.unwrap().refused, "");
}

#[tokio::test]
async fn status_needs_no_coordinator_and_changes_nothing() {
    let (coordinator, mut node, session) = pooled().await;
    node.kill().await;
    drop((coordinator, session));
    let before = node.machine.log().iter().filter(|entry| entry.mutates).count();
    let host: Arc<dyn System> = Arc::new(node.machine.clone());
    let seen = node_status::look(&host).await;
    assert_eq!(seen.node, "a");
    assert_eq!(seen.pools.len(), 1);
    assert_eq!(seen.in_hand, None);
    assert_eq!(seen.last.as_ref().map(|task| task.kind), Some("ensure pool"));
    assert!(seen.certificate_until_ms > 0, "{seen:?}");
    let after = node.machine.log().iter().filter(|entry| entry.mutates).count();
    assert_eq!(before, after, "status is a look");
}

#[tokio::test]
async fn a_node_that_was_never_added_says_so() {
    let host: Arc<dyn System> = Arc::new(Machine::builder("a").build());
    let seen = node_status::look(&host).await;
    assert!(
        seen.faults.iter().any(|fault| fault == node_status::NOT_ADDED),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_busy_node_is_not_released() {
    let (_coordinator, mut node, _session) = pooled().await;
    node.kill().await;
    assert_eq!(release::plan(&node.machine).await.unwrap().refused, "");
    node.put("/var/lib/heeler-agent/guard/armed", "").await;
    let plan = release::plan(&node.machine).await.unwrap();
    assert!(plan.refused.contains("network"), "{plan:?}");
}

/// What must remain after a release, wherever it was interrupted and continued.
async fn assert_left(machine: &Machine, cut: u64) {
    let there = async |path: &str| machine.read(Path::new(path)).await.is_ok();
    for path in [
        "/etc/heeler/agent.json",
        "/etc/heeler/token",
        "/etc/systemd/system/heeler-agent.service",
        "/usr/local/sbin/heeler-agent",
        "/var/lib/heeler-agent/identity/key.pem",
        "/var/lib/heeler-agent/journal",
        "/var/lib/heeler-agent/releasing",
    ] {
        assert!(!there(path).await, "cut at {cut}: {path} is left");
    }
    assert!(
        there("/var/lib/heeler-agent/erased/A-1/table").await,
        "cut at {cut}: the only way back is gone"
    );
    let state = async |unit: &str| machine.unit_state(unit).await.unwrap();
    assert_ne!(state("heeler-agent.service").await.enabled, "enabled", "cut at {cut}");
    let timer = state("zfs-scrub-monthly@data.timer").await;
    assert_eq!(
        (timer.enabled.as_str(), timer.active.as_str()),
        ("enabled", "active"),
        "cut at {cut}"
    );
    let pools = heeler_tasks::imported_pools(machine).await.unwrap();
    assert_eq!(pools.len(), 1, "cut at {cut}: the pool is the machine's");
}

#[tokio::test]
async fn an_interrupted_release_is_finished() {
    for after in 0.. {
        let (_coordinator, mut node, _session) = pooled().await;
        node.kill().await;
        let machine = &node.machine;
        for path in [
            "/usr/local/sbin/heeler-agent",
            "/etc/systemd/system/heeler-agent.service",
            "/var/lib/heeler-agent/erased/A-1/table",
        ] {
            node.put(path, "x").await;
        }
        let plan = release::plan(machine).await.unwrap();
        assert_eq!(plan.starts, ["zfs-scrub-monthly@data.timer"]);
        let starts = "monthly scrubs of data, by zfs-scrub-monthly@data.timer";
        assert_eq!(plan.takes_over(), [starts]);
        assert!(plan.continues.iter().all(|line| !line.contains("scrub")), "{plan:?}");
        let cut = machine.points() + after;
        machine.lose_at(cut, Loss::Power);
        let whole = async {
            release::begin(machine, &plan).await.unwrap();
            release::finish(machine).await.unwrap();
        };
        tokio::select! {
            () = whole => {}
            _ = machine.lost() => {}
        }
        let done = machine.points() < cut;
        machine.lose_at(u64::MAX, Loss::Power);
        if !done {
            machine.boot();
            // Before the marker nothing has happened, and a person repeats the command. After it, the agent continues
            // at boot.
            if !release::is_begun(machine).await && machine.read(Path::new("/etc/heeler/agent.json")).await.is_ok() {
                release::begin(machine, &plan).await.unwrap();
            }
            if release::is_begun(machine).await {
                release::finish(machine).await.unwrap();
            }
            // A boot starts what is enabled.
            machine
                .unit("zfs-scrub-monthly@data.timer", UnitAction::Start)
                .await
                .unwrap();
        }
        assert_left(machine, after).await;
        if done {
            assert!(after > 8, "it was not cut anywhere");
            return;
        }
    }
}
