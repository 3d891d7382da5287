use heeler_proto::v1::event::Kind;
use heeler_proto::v1::*;

use super::apply::{TASK, TOML, did, ended, script};
use super::fake::{Script, Stage};
use crate::cli::Exit;

#[tokio::test(start_paused = true)]
async fn a_lost_connection_repeats_no_event() {
    let streams = [
        vec![did(6, "first"), did(7, "second")],
        vec![did(7, "second"), did(8, "third")],
        vec![ended(9, TaskOutcome::Done)],
    ];
    let stage = Stage::with(
        TOML,
        Script {
            streams: streams.into(),
            ..script(None)
        },
    );
    let outcome = stage.types("apply --yes").await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    for once in ["first", "second", "third", "ensure pool: done"] {
        assert_eq!(outcome.out.matches(once).count(), 1, "{once}: {}", outcome.out);
    }
    assert_eq!(outcome.err.matches("does not answer").count(), 2, "{}", outcome.err);
    assert_eq!(outcome.err.matches("is back").count(), 2);
    let after: Vec<u64> = stage
        .fake
        .0
        .lock()
        .unwrap()
        .followed
        .iter()
        .map(|request| request.after)
        .collect();
    assert_eq!(after, [5, 7, 8]);
}

#[tokio::test(start_paused = true)]
async fn events_follow_after_the_last_few() {
    let streams = [vec![], vec![did(1, "first")], vec![did(2, "second")]];
    let stage = Stage::with(
        TOML,
        Script {
            streams: streams.into(),
            ..script(None)
        },
    );
    let watched = stage.types("events -n 5 --follow");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(3600), watched).await;
    assert!(ended.is_err(), "it follows until it is stopped");
    let script = stage.fake.0.lock().unwrap();
    let asked: Vec<_> = script
        .followed
        .iter()
        .map(|request| (request.last, request.after))
        .collect();
    assert_eq!(asked, [(5, 0), (0, 0), (0, 1)]);
}

#[tokio::test]
async fn hidden_events_do_not_count_as_the_last_few() {
    let step = |id: u64| FleetEvent {
        event: Some(Event {
            kind: Some(Kind::StepStarted(StepStarted::default())),
            ..Event::default()
        }),
        ..did(id, "")
    };
    let all = [
        did(1, "first"),
        did(2, "second"),
        step(3),
        step(4),
        did(5, "third"),
        step(6),
    ];
    let last = |count: usize| all[all.len() - count..].to_vec();
    let stage = Stage::with(
        TOML,
        Script {
            streams: [last(2), all.to_vec(), last(5)].into(),
            ..script(None)
        },
    );
    let told = stage.types("events -n 2").await;
    assert!(
        told.out.contains("second") && told.out.contains("third") && !told.out.contains("first"),
        "{}",
        told.out
    );
    let asked: Vec<_> = stage
        .fake
        .0
        .lock()
        .unwrap()
        .followed
        .iter()
        .map(|one| (one.last, one.after))
        .collect();
    assert_eq!(asked, [(2, 0), (8, 0), (0, 1)]);
}

#[tokio::test]
async fn the_exit_code_is_the_tasks_outcome() {
    for (outcome, exit) in [
        (TaskOutcome::Done, Exit::Fine),
        (TaskOutcome::Blocked, Exit::Person),
        (TaskOutcome::Failed, Exit::Error),
        (TaskOutcome::Refused, Exit::Refused),
    ] {
        let stage = Stage::with(
            TOML,
            Script {
                streams: [vec![ended(6, outcome)]].into(),
                ..script(None)
            },
        );
        assert_eq!(stage.types("apply --yes").await.exit, exit, "{outcome:?}");
    }
}

#[tokio::test]
async fn an_end_that_the_coordinator_decides_ends_the_watch_too() {
    let told = FleetEvent {
        event: None,
        kind: EventKind::Refused.into(),
        text: "the node was away too long".into(),
        ..did(6, "")
    };
    let stage = Stage::with(
        TOML,
        Script {
            streams: [vec![told]].into(),
            ..script(None)
        },
    );
    let outcome = stage.types("apply --yes").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.out.contains("the node was away too long"));
}

#[tokio::test]
async fn a_finished_task_is_followed_from_its_first_event() {
    let told = |id, task: &str, kind: EventKind, text: &str| FleetEvent {
        event: None,
        task_id: task.into(),
        kind: kind.into(),
        text: text.into(),
        ..did(id, "")
    };
    let task = TaskInfo {
        task_id: TASK.into(),
        node: "pi5l".into(),
        state: TaskState::Done.into(),
        ..TaskInfo::default()
    };
    let events = vec![
        told(1, "", EventKind::Token, "join token made"),
        told(2, TASK, EventKind::TaskQueued, "asked for"),
        told(3, "", EventKind::Lost, "connection lost"),
        did(4, "first"),
        ended(5, TaskOutcome::Done),
    ];
    let stage = Stage::with(
        TOML,
        Script {
            streams: [events].into(),
            tasks: vec![task],
            ..script(None)
        },
    );
    let outcome = stage.types(&format!("task follow {TASK}")).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    for (text, shown) in [
        ("join token", false),
        ("asked for", true),
        ("connection lost", true),
        ("first", true),
    ] {
        assert_eq!(outcome.out.contains(text), shown, "{text}: {}", outcome.out);
    }
}
