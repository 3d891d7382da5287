//! Plans, tasks that follow each other, operations, and the lease.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use heeler_store::{
    NewOperation, NewTask, OperationKind, OperationState, Outcome, Plan, PlanTask, Store, StoreError, TaskState, Tx,
};

const HOUR: u64 = 60 * 60 * 1000;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("heeler.db")).await.unwrap();
    (folder, store)
}

async fn begun(store: &Store) -> Tx {
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    tx
}

fn operation() -> NewOperation {
    NewOperation {
        kind: OperationKind::NetworkChange,
        node: Some("a".into()),
        operator: "me".into(),
        body: b"{}".to_vec(),
    }
}

fn task(id: &str, predecessor: Option<&str>) -> NewTask {
    NewTask {
        id: id.into(),
        node: "a".into(),
        kind: "ensure pool".into(),
        task: vec![1],
        revision: 1,
        operator: "me".into(),
        predecessor: predecessor.map(Into::into),
        consents: vec![(format!("consent of {id}"), vec![2])],
        consented_until_ms: Some(7),
    }
}

fn outcome(state: TaskState) -> Outcome {
    Outcome {
        state,
        reason: String::new(),
        blocked: None,
        changes: 0,
    }
}

#[tokio::test]
async fn a_plan_is_carried_out_once() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    let plan = Plan {
        id: "p".into(),
        text: None,
        git_commit: String::new(),
        dirty_lines: 0,
        parent: 0,
        created_at_ms: 5,
        reply: None,
    };
    let task = PlanTask {
        node: "a".into(),
        position: 0,
        task_id: "t".into(),
        task: vec![1],
        shown: vec![2],
    };
    tx.add_plan(&plan, std::slice::from_ref(&task)).await.unwrap();
    assert_eq!(tx.plan_tasks("p").await.unwrap(), [task]);
    tx.use_plan("p", &[3]).await.unwrap();
    assert!(matches!(
        tx.use_plan("p", &[4]).await,
        Err(StoreError::Rows { rows: 0, .. })
    ));
    assert_eq!(tx.plan("p").await.unwrap().unwrap().reply, Some(vec![3]));
    tx.drop_plans(6).await.unwrap();
    assert_eq!(tx.plan("p").await.unwrap(), None);
}

#[tokio::test]
async fn a_task_is_assigned_once() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    tx.add_task(&task("t", None), 1).await.unwrap();
    assert!(tx.add_task(&task("t", None), 1).await.unwrap_err().is_duplicate());
    assert_eq!(tx.consents("t").await.unwrap(), [vec![2]]);
    tx.send_task("t", (1, 4), None).await.unwrap();
    assert!(tx.send_task("t", (1, 5), None).await.is_err());
    tx.run_task("t").await.unwrap();
    assert_eq!(tx.open_tasks().await.unwrap()[0].state, TaskState::Running);
    let done = Outcome {
        changes: 3,
        ..outcome(TaskState::Done)
    };
    tx.finish_task("t", &done, 9).await.unwrap();
    tx.run_task("t").await.unwrap();
    let kept = tx.task("t").await.unwrap().unwrap();
    assert_eq!(
        (kept.state, kept.changes, kept.finished_at_ms, kept.counter),
        (TaskState::Done, 3, 9, 4)
    );
    assert_eq!(tx.open_tasks().await.unwrap(), []);
    assert!(tx.finish_task("other", &done, 9).await.is_err());
}

#[tokio::test]
async fn a_task_needs_a_known_node() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    assert!(tx.add_task(&task("t", None), 1).await.is_err());
}

#[tokio::test]
async fn an_operation_changes_only_while_it_is_open() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    let id = tx.add_operation(&operation(), 1).await.unwrap();
    let twice = tx.add_operation(&operation(), 1).await.unwrap_err();
    assert!(twice.is_duplicate(), "one change of a node's network at a time");
    tx.set_operation(id, b"{\"x\":1}", 2).await.unwrap();
    let open = tx.open_operations().await.unwrap();
    assert_eq!((open.len(), open[0].id, open[0].changed_at_ms), (1, id, 2));
    let end = (OperationState::Undone, "no peer reached it");
    tx.end_operation(id, end, 3).await.unwrap();
    assert!(tx.end_operation(id, end, 4).await.is_err());
    assert!(tx.set_operation(id, b"{}", 4).await.is_err());
    let ended = tx.operation(id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.reason.as_str()), end);
    assert_eq!(ended.body, b"{\"x\":1}");
    assert_eq!(tx.open_operations().await.unwrap(), []);
    assert!(tx.add_operation(&operation(), 5).await.unwrap() > id);
}

#[tokio::test]
async fn an_unknown_kind_or_state_is_refused() {
    let (folder, store) = store().await;
    let mut tx = begun(&store).await;
    tx.add_operation(&operation(), 1).await.unwrap();
    tx.save().await.unwrap();
    let path = folder.path().join("heeler.db");
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let run = async |sql| sqlx::query(sql).execute(&raw).await;
    assert!(run("UPDATE operations SET state = 'half'").await.is_err());
    run("UPDATE operations SET kind = 'later kind'").await.unwrap();
    raw.close().await;
    assert!(store.read().await.unwrap().open_operations().await.is_err());
}

#[tokio::test]
async fn a_late_holder_keeps_the_lease_until_it_is_freed() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    let first = tx.add_operation(&operation(), 1).await.unwrap();
    let other = NewOperation {
        node: None,
        ..operation()
    };
    let second = tx.add_operation(&other, 1).await.unwrap();
    let generation = tx.grant_lease(first, "reboots a", 60_000, 10).await.unwrap().unwrap();
    tx.renew_lease(generation, 20).await.unwrap();
    let held = tx.lease().await.unwrap().unwrap();
    assert!(!held.is_late(20 + 59_999) && held.is_late(20 + 60_000));
    assert_eq!(
        (held.operation, held.reason.as_str(), held.granted_at_ms),
        (first, "reboots a", 10)
    );
    // A hundred days later.
    assert_eq!(tx.grant_lease(second, "joins b", 1, 2400 * HOUR).await.unwrap(), None);
    assert!(
        tx.end_operation(first, (OperationState::Done, ""), 30).await.is_err(),
        "its nodes are not healthy yet"
    );
    tx.free_lease(generation, 40).await.unwrap();
    assert_eq!(tx.lease().await.unwrap(), None);
    tx.end_operation(first, (OperationState::Done, ""), 50).await.unwrap();
    let next = tx.grant_lease(second, "joins b", 1, 60).await.unwrap().unwrap();
    assert!(next > generation);
    for stale in [
        tx.renew_lease(generation, 70).await,
        tx.free_lease(generation, 70).await,
    ] {
        assert!(matches!(stale, Err(StoreError::Rows { rows: 0, .. })), "{stale:?}");
    }
    tx.free_lease(next, 80).await.unwrap();
    assert!(tx.grant_lease(first, "again", 1, 90).await.is_err(), "it has ended");
}

#[tokio::test]
async fn a_lease_is_kept_only_with_its_work() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    let id = tx.add_operation(&operation(), 1).await.unwrap();
    tx.grant_lease(id, "reboots a", 60_000, 1).await.unwrap();
    drop(tx);
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.lease().await.unwrap(), None);
    assert_eq!(tx.open_operations().await.unwrap(), []);
}

#[tokio::test]
async fn a_generation_is_never_given_twice() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    let id = tx.add_operation(&operation(), 1).await.unwrap();
    let first = tx.grant_lease(id, "x", 1, 1).await.unwrap().unwrap();
    tx.free_lease(first, 2).await.unwrap();
    tx.drop_operations(3).await.unwrap();
    assert!(tx.grant_lease(id, "x", 1, 4).await.unwrap().unwrap() > first);
}

#[tokio::test]
async fn a_task_is_ready_when_its_predecessor_is_done() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    tx.add_task(&task("1", None), 5).await.unwrap();
    tx.add_task(&task("2", Some("1")), 5).await.unwrap();
    tx.add_task(&task("3", Some("2")), 5).await.unwrap();
    assert!(tx.add_task(&task("4", Some("nothing")), 5).await.is_err());
    let ready = async |tx: &mut Tx, id| tx.task(id).await.unwrap().unwrap().ready_at_ms;
    assert_eq!((ready(&mut tx, "1").await, ready(&mut tx, "2").await), (5, 0));
    tx.finish_task("1", &outcome(TaskState::Done), 2 * HOUR).await.unwrap();
    assert_eq!((ready(&mut tx, "2").await, ready(&mut tx, "3").await), (2 * HOUR, 0));
    tx.finish_task("2", &outcome(TaskState::Failed), 3 * HOUR)
        .await
        .unwrap();
    assert_eq!(ready(&mut tx, "3").await, 0);
    tx.finish_task("3", &outcome(TaskState::Refused), 3 * HOUR)
        .await
        .unwrap();
    while tx.drop_tasks("a", 4 * HOUR, 0, 1).await.unwrap() > 0 {}
    assert_eq!(tx.tasks(10).await.unwrap(), []);
}

#[tokio::test]
async fn an_old_operation_is_dropped_after_its_tasks() {
    let (_folder, store) = store().await;
    let mut tx = begun(&store).await;
    let id = tx.add_operation(&operation(), 1).await.unwrap();
    tx.add_task(&task("1", None), 1).await.unwrap();
    tx.send_task("1", (1, 1), Some(id)).await.unwrap();
    assert_eq!(tx.task_of_operation(id).await.unwrap().unwrap().id, "1");
    tx.drop_operations(10).await.unwrap();
    tx.finish_task("1", &outcome(TaskState::Done), 2).await.unwrap();
    tx.end_operation(id, (OperationState::Done, ""), 2).await.unwrap();
    tx.drop_operations(10).await.unwrap();
    assert!(tx.operation(id).await.unwrap().is_some(), "its task names it");
    tx.drop_tasks("a", 10, 0, 10).await.unwrap();
    tx.drop_operations(10).await.unwrap();
    assert_eq!(tx.operation(id).await.unwrap(), None);
}
