//! Events stay within their bound, and an event that does not fit on the disk is not acknowledged.

use heeler_proto::v1::{self, Light, from_agent, to_agent};
use heeler_store::{Event, EventQuery, Store};
use heeler_tests::{BareAgent, Fleet, NOON};

use crate::scene::until;

const BOUND: u64 = 2 << 20;
/// More than one transaction deletes. A copied card that tries again and again makes this many in a day.
const ALARMS: u64 = 700;

fn note(seq: u64) -> from_agent::Body {
    let note = v1::Note {
        level: v1::NoteLevel::Info.into(),
        text: "x".repeat(200),
    };
    from_agent::Body::Event(v1::Event {
        seq,
        at_ms: NOON,
        task_id: String::new(),
        kind: Some(v1::event::Kind::Note(note)),
    })
}

#[tokio::test]
async fn the_oldest_events_are_dropped_first() {
    let mut fleet = Fleet::new().await;
    fleet.stop().await;
    let store = Store::open(&fleet.state().database()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let mut last = 0;
    for number in 0..12_000 {
        let (kind, alarm) = if number < ALARMS {
            ("alarm", "other")
        } else {
            ("note", "")
        };
        let event = Event {
            at_ms: NOON,
            kind: kind.into(),
            alarm: alarm.into(),
            text: format!("{number} {}", "x".repeat(400)),
            ..Event::default()
        };
        last = tx.add_event(&event).await.unwrap();
    }
    tx.save().await.unwrap();
    let before = store.used_bytes().await.unwrap();
    assert!(before > 2 * BOUND, "{before}");
    fleet.history_bytes = BOUND;
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    until(async || store.used_bytes().await.unwrap() <= BOUND).await;
    let query = EventQuery {
        limit: 100_000,
        ..EventQuery::default()
    };
    let kept = store.read().await.unwrap().events(&query).await.unwrap();
    let alarms = kept.iter().take_while(|event| event.kind == "alarm").count();
    assert_eq!(alarms as u64, ALARMS, "alarms of today stand in the status");
    assert!(
        kept[alarms].id > 5_000 && kept.iter().any(|event| event.id == last),
        "the newest stay"
    );
    assert_eq!(
        store.read().await.unwrap().last_event().await.unwrap(),
        kept.last().unwrap().id
    );
    let check = operator
        .verify_audit(v1::VerifyAuditRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(check.broken_at, 0, "the audit log is whole");

    let asked = v1::EventsRequest {
        kinds: vec![v1::EventKind::Alarm.into()],
        ..Default::default()
    };
    let mut events = operator.events(asked).await.unwrap().into_inner();
    for _ in 0..ALARMS {
        assert_eq!(events.message().await.unwrap().unwrap().kind(), v1::EventKind::Alarm);
    }
    assert!(events.message().await.unwrap().is_none());
    let asked = v1::EventsRequest {
        kinds: vec![v1::EventKind::Note.into()],
        last: 2,
        ..Default::default()
    };
    let mut events = operator.events(asked).await.unwrap().into_inner();
    let two = [
        events.message().await.unwrap().unwrap(),
        events.message().await.unwrap().unwrap(),
    ];
    assert_eq!((two[0].id, two[1].id), (last - 1, last));
    assert!(events.message().await.unwrap().is_none());
}

/// Fills the database up to its bound.
async fn fill(fleet: &Fleet) {
    let filler = Store::open(&fleet.state().database()).await.unwrap();
    let mut tx = filler.write().await.unwrap();
    let filling = "x".repeat(2 * usize::try_from(BOUND).unwrap());
    tx.set_meta("filler", &filling).await.unwrap();
    tx.save().await.unwrap();
}

#[tokio::test]
async fn an_operators_full_disk_turns_the_status_red() {
    let mut fleet = Fleet::new().await;
    fleet.stop().await;
    fleet.history_bytes = BOUND;
    fleet.start().await.unwrap();
    fill(&fleet).await;
    let mut operator = fleet.operator().await;
    let calm = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert!(calm.alerts.iter().all(|alert| alert.light() != Light::Red), "{calm:?}");
    let secret = v1::SetSecretRequest {
        name: "tailscale".into(),
        value: vec![7; 60 << 10],
    };
    let refused = operator.set_secret(secret).await.unwrap_err();
    assert!(refused.message().contains("df -h"), "{refused:?}");
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let red = status.alerts.iter().find(|alert| alert.light() == Light::Red).unwrap();
    assert!(
        red.text.contains("cannot write to its disk") && red.next.contains("free space"),
        "{status:?}"
    );

    let filler = Store::open(&fleet.state().database()).await.unwrap();
    let mut tx = filler.write().await.unwrap();
    tx.set_meta("filler", "").await.unwrap();
    tx.save().await.unwrap();
    let well = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert!(well.alerts.iter().all(|alert| alert.light() != Light::Red), "{well:?}");
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_unstored() {
    let mut fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    fleet.stop().await;
    fleet.history_bytes = BOUND;
    fleet.start().await.unwrap();
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    line.say(note(1)).await;
    let acknowledged = line.next_that(|body| match body {
        to_agent::Body::Ack(ack) => Some(ack.seq),
        _ => None,
    });
    assert_eq!(acknowledged.await, 1);

    fill(&fleet).await;
    // Half-filled pages take some more events first.
    let (mut sent, mut stored) = (1, 1);
    let ended = 'told: loop {
        sent += 1;
        assert!(sent < 500, "it never ends");
        line.say(note(sent)).await;
        loop {
            match line.next().await {
                Ok(to_agent::Body::Ack(ack)) => {
                    stored = ack.seq;
                    break;
                }
                Ok(to_agent::Body::Goodbye(goodbye)) => break 'told goodbye.reason,
                Ok(_) => {}
                Err(reason) => break 'told reason,
            }
        }
    };
    assert!(ended.contains("disk is full"), "{ended}");
    assert_eq!(stored, sent - 1, "an event was acknowledged that is nowhere");
    let mut operator = fleet.operator().await;
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Red);
    assert!(
        status
            .alerts
            .iter()
            .any(|alert| alert.text.contains("cannot write to its disk")),
        "{status:?}"
    );

    // With room again, events that were not stored are sent again and stored.
    drop((line, operator));
    fleet.kill().await;
    fleet.history_bytes = 8 * BOUND;
    fleet.start().await.unwrap();
    let hello = v1::Hello {
        last_event: sent,
        acknowledged: stored,
        ..BareAgent::hello("a")
    };
    let (mut line, welcome) = agent.join(hello).await.unwrap();
    assert_eq!(welcome.acknowledged, stored);
    line.say(note(sent)).await;
    loop {
        match line.next().await {
            Ok(to_agent::Body::Ack(ack)) => return assert_eq!(ack.seq, sent),
            Ok(to_agent::Body::Goodbye(goodbye)) => panic!("{}", goodbye.reason),
            Ok(_) => {}
            Err(reason) => panic!("{reason}"),
        }
    }
}
