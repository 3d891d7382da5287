//! A node that lies or sends too much harms only itself.

use heeler_coordinator::pool_comment;
use heeler_proto::v1::{self, from_agent, reply::Answer, request::Ask};
use heeler_tests::{BareAgent, CLUSTER, Fleet, Line, NOON};

#[tokio::test]
async fn absurd_numbers_are_refused_and_reported() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (line, before) = agent.join(BareAgent::hello("a")).await.unwrap();
    drop(line);
    let generation = |epoch, counter| Some(v1::Generation { epoch, counter });
    let lies = [
        v1::Hello {
            generation: generation(u64::MAX, 1),
            ..BareAgent::hello("a")
        },
        v1::Hello {
            generation: generation(1, u64::MAX),
            ..BareAgent::hello("a")
        },
        v1::Hello {
            acknowledged: u64::MAX,
            last_event: u64::MAX,
            ..BareAgent::hello("a")
        },
    ];
    for lie in lies {
        let refused = agent.join(lie).await.map(drop).unwrap_err();
        assert!(refused.contains("impossible counts"), "{refused}");
    }
    let status = fleet.operator().await.status(v1::StatusRequest {}).await.unwrap();
    let alarms = status.into_inner().alerts;
    assert_eq!(
        alarms
            .iter()
            .filter(|alert| alert.text.contains("impossible counts"))
            .count(),
        1,
        "one alarm, whatever the numbers: {alarms:?}"
    );
    let (_line, after) = agent.rejoin(&BareAgent::hello("a")).await;
    assert_eq!((after.epoch, after.acknowledged), (before.epoch, before.acknowledged));
}

#[tokio::test]
async fn a_node_ahead_is_paused_and_logged_once() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    drop(agent.join(BareAgent::hello("a")).await.unwrap());
    for counter in 1..10 {
        let generation = Some(v1::Generation { epoch: 1, counter });
        let hello = v1::Hello {
            generation,
            ..BareAgent::hello("a")
        };
        drop(agent.rejoin(&hello).await);
    }
    let request = v1::ListAuditRequest {
        limit: 100,
        ..v1::ListAuditRequest::default()
    };
    let audit = fleet.operator().await.list_audit(request).await;
    let entries = audit.unwrap().into_inner().entries;
    let pauses = entries.iter().filter(|entry| entry.action == "node paused");
    assert_eq!(pauses.count(), 1, "{entries:?}");
}

#[tokio::test]
async fn one_pool_too_many_is_not_recorded() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let pools = (1..=9).map(|guid| v1::Pool {
        name: format!("pool{guid}"),
        guid: format!("{guid}"),
        comment: pool_comment(CLUSTER, "a"),
        state: "ONLINE".into(),
        ..v1::Pool::default()
    });
    let facts = v1::Facts {
        pools: pools.collect(),
        ..v1::Facts::default()
    };
    let mut operator = fleet.operator().await;
    let mut last = 0;
    for seq in 1..=2 {
        let hello = v1::Hello {
            last_event: seq - 1,
            ..BareAgent::hello("a")
        };
        let (mut line, _) = agent.join(hello).await.unwrap();
        let id = line.next_that(Line::asks_for_facts).await;
        line.answer(id, Answer::Facts(facts.clone())).await;
        // Messages are stored in order, so this event is stored after the facts.
        let note = v1::Note {
            level: v1::NoteLevel::Info.into(),
            text: seq.to_string(),
        };
        line.say(from_agent::Body::Event(v1::Event {
            seq,
            at_ms: NOON,
            task_id: String::new(),
            kind: Some(v1::event::Kind::Note(note)),
        }))
        .await;
        last = operator.wait_after(last, v1::EventKind::Note, "a").await.id;
    }
    let asked = v1::EventsRequest {
        kinds: vec![v1::EventKind::Alarm.into()],
        ..v1::EventsRequest::default()
    };
    let mut events = operator.events(asked).await.unwrap().into_inner();
    let alarm = events.message().await.unwrap().unwrap();
    assert!(alarm.text.contains("pool pool9 (9) is not put on record"), "{alarm:?}");
    assert_eq!(events.message().await.unwrap(), None);
}

#[tokio::test]
async fn the_audit_log_shortens_a_nodes_answer() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let create = v1::CreateSnapshot {
        dataset: "data/vm".into(),
        name: String::new(),
    };
    let request = v1::SnapshotsRequest {
        node: "a".into(),
        ask: Some(v1::SnapshotAsk {
            ask: Some(v1::snapshot_ask::Ask::Create(create)),
        }),
    };
    let answers = async {
        let snapshots = |ask| matches!(ask, Ask::Snapshots(_)).then_some(());
        let id = line.next_that(|body| Line::asks(body, snapshots)).await;
        let answer = v1::SnapshotAnswer {
            created: "x".repeat(100_000),
            ..v1::SnapshotAnswer::default()
        };
        line.answer(id, Answer::Snapshots(answer)).await;
    };
    let mut operator = fleet.operator().await;
    let (made, ()) = tokio::join!(operator.snapshots(request), answers);
    made.unwrap();
    let request = v1::ListAuditRequest {
        newest: true,
        limit: 1,
        ..v1::ListAuditRequest::default()
    };
    let last = operator
        .list_audit(request)
        .await
        .unwrap()
        .into_inner()
        .entries
        .remove(0);
    assert_eq!((last.action.as_str(), last.detail.len()), ("snapshot created", 4096));
}
