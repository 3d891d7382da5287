//! Which disks of a pool are on record, and which serial names a lost leg.

use heeler_coordinator::pool_comment;
use heeler_proto::v1::{self, LegClass, from_agent, reply::Answer};
use heeler_tests::{BareAgent, CLUSTER, Fleet, Line, NOON, Operator};

use crate::scene::node_a;

const A: &str = "S6XNNS0W100001";
const B: &str = "S6XNNS0W100002";
const C: &str = "S6XNNS0W100003";
const D: &str = "S6XNNS0W100004";
const E: &str = "S6XNNS0W100005";

/// A node that reports what a test wants.
struct Reporter {
    fleet: Fleet,
    agent: BareAgent,
    operator: Operator,
    reports: u64,
    last: u64,
}

impl Reporter {
    async fn new() -> Self {
        let fleet = Fleet::new().await;
        let agent = BareAgent::enrolled(&fleet, "a").await;
        let operator = fleet.operator().await;
        Self {
            fleet,
            agent,
            operator,
            reports: 0,
            last: 0,
        }
    }

    /// Reports these pools and all five disks, and waits until they are stored.
    async fn report(&mut self, pools: &[v1::Pool]) {
        let hello = v1::Hello {
            last_event: self.reports,
            ..BareAgent::hello("a")
        };
        let (mut line, _) = self.agent.rejoin(&hello).await;
        let disks = [A, B, C, D, E].map(|serial| v1::Disk {
            serial: serial.into(),
            ..v1::Disk::default()
        });
        let facts = v1::Facts {
            disks: disks.to_vec(),
            pools: pools.to_vec(),
            ..v1::Facts::default()
        };
        let id = line.next_that(Line::asks_for_facts).await;
        line.answer(id, Answer::Facts(facts)).await;
        self.reports += 1;
        // Messages are stored in order, so its acknowledgement shows that the facts are stored.
        let note = v1::Note {
            level: v1::NoteLevel::Info.into(),
            text: self.reports.to_string(),
        };
        line.say(from_agent::Body::Event(v1::Event {
            seq: self.reports,
            at_ms: NOON,
            task_id: String::new(),
            kind: Some(v1::event::Kind::Note(note)),
        }))
        .await;
        self.last = self.operator.wait_after(self.last, v1::EventKind::Note, "a").await.id;
    }

    /// Serials that the disk list shows as legs of a pool.
    async fn on_record(&mut self) -> Vec<String> {
        let request = v1::ListDisksRequest { node: "a".into() };
        let disks = self.operator.list_disks(request).await.unwrap().into_inner().disks;
        let recorded = disks.into_iter().filter(|disk| !disk.recorded_guid.is_empty());
        let mut serials: Vec<_> = recorded.map(|disk| disk.disk.unwrap().serial).collect();
        serials.sort();
        serials
    }

    async fn pool_events(&self) -> Vec<String> {
        let request = v1::EventsRequest {
            kinds: vec![v1::EventKind::Pool.into()],
            ..v1::EventsRequest::default()
        };
        let mut operator = self.fleet.operator().await;
        let mut events = operator.events(request).await.unwrap().into_inner();
        let mut texts = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            texts.push(event.text);
        }
        texts
    }

    /// Serial of each leg of the first pool, and whether it is identified, as shown to the operator.
    async fn shown(&mut self) -> Vec<(String, bool)> {
        let pool = node_a(&mut self.operator).await.facts.unwrap().pools.remove(0);
        pool.legs.into_iter().map(|leg| (leg.serial, leg.identified)).collect()
    }

    async fn alerts(&mut self) -> String {
        let status = self.operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
        let texts: Vec<_> = status.alerts.into_iter().map(|alert| alert.text).collect();
        texts.join("\n")
    }
}

fn pool(state: &str, legs: &[v1::Leg]) -> v1::Pool {
    v1::Pool {
        name: "data".into(),
        guid: "77".into(),
        comment: pool_comment(CLUSTER, "a"),
        state: state.into(),
        legs: legs.to_vec(),
        ..v1::Pool::default()
    }
}

/// A leg that ZFS has open.
fn online(serial: &str, guid: &str) -> v1::Leg {
    v1::Leg {
        serial: serial.into(),
        guid: guid.into(),
        state: "ONLINE".into(),
        class: LegClass::Data.into(),
        identified: true,
        ..v1::Leg::default()
    }
}

fn of_class(class: LegClass, serial: &str, guid: &str) -> v1::Leg {
    v1::Leg {
        class: class.into(),
        ..online(serial, guid)
    }
}

/// A leg without an identified disk.
fn lost(state: &str, guid: &str) -> v1::Leg {
    v1::Leg {
        state: state.into(),
        identified: false,
        ..online("", guid)
    }
}

#[tokio::test]
async fn a_replaced_disk_leaves_the_record() {
    let mut node = Reporter::new().await;
    node.report(&[pool("ONLINE", &[online(A, "1"), online(B, "2")])]).await;
    assert_eq!(node.on_record().await, [A, B]);
    for _ in 0..2 {
        node.report(&[pool("ONLINE", &[online(A, "1"), online(C, "3")])]).await;
        assert_eq!(node.on_record().await, [A, C]);
    }
    let events = node.pool_events().await;
    let without: Vec<_> = events.iter().filter(|text| text.contains("without")).collect();
    assert_eq!(
        without,
        [&format!("pool data is complete without {B}: removed from its record")]
    );
}

#[tokio::test]
async fn logs_caches_and_spares_never_go_on_record() {
    let mut node = Reporter::new().await;
    let mut legs = vec![online(A, "1"), online(B, "2")];
    let others = [
        of_class(LegClass::Log, C, "3"),
        of_class(LegClass::Cache, D, "4"),
        of_class(LegClass::Spare, E, "5"),
    ];
    legs.extend(others);
    node.report(&[pool("ONLINE", &legs)]).await;
    assert_eq!(node.on_record().await, [A, B]);
    let before = node.pool_events().await;
    node.report(&[pool("ONLINE", &legs[..2])]).await;
    assert_eq!(node.on_record().await, [A, B]);
    assert_eq!(node.pool_events().await, before);
}

#[tokio::test]
async fn a_lost_leg_is_named_with_its_recorded_serial() {
    let mut node = Reporter::new().await;
    node.report(&[pool("ONLINE", &[online(A, "1"), online(B, "2")])]).await;
    for state in ["UNAVAIL", "REMOVED"] {
        node.report(&[pool("DEGRADED", &[online(A, "1"), lost(state, "2")])])
            .await;
        assert_eq!(node.shown().await, [(A.into(), true), (B.into(), false)]);
        let told = format!("pool data is DEGRADED: {B} is {state}. Do NOT pull {A}");
        let alerts = node.alerts().await;
        assert!(alerts.contains(&told), "{alerts}");
    }
}

#[tokio::test]
async fn a_degraded_pool_keeps_every_serial_on_record() {
    let mut node = Reporter::new().await;
    node.report(&[pool("ONLINE", &[online(A, "1"), online(B, "2")])]).await;
    let replacing = [online(A, "1"), lost("UNAVAIL", "2"), online(C, "3")];
    node.report(&[pool("DEGRADED", &replacing)]).await;
    assert_eq!(node.on_record().await, [A, B, C]);
    // Also when the leg is not listed, or the pool itself reports ONLINE.
    node.report(&[pool("DEGRADED", &[online(A, "1")])]).await;
    node.report(&[pool("ONLINE", &[online(A, "1"), lost("ONLINE", "2")])])
        .await;
    assert_eq!(node.on_record().await, [A, B, C]);
    node.report(&[pool("ONLINE", &[online(A, "1"), online(C, "3")])]).await;
    assert_eq!(node.on_record().await, [A, C]);
}

#[tokio::test]
async fn a_lost_leg_never_has_a_healthy_disks_serial() {
    let mut node = Reporter::new().await;
    let other = |leg| v1::Pool {
        name: "other".into(),
        guid: "78".into(),
        comment: String::new(),
        ..pool("ONLINE", &[leg])
    };
    let weak = [online(A, "1"), lost("UNAVAIL", "2")];
    let with = |leg| pool("DEGRADED", &[weak.as_slice(), &[leg]].concat());
    node.report(&[pool("ONLINE", &[online(A, "1"), online(B, "2")])]).await;
    for pools in [
        vec![with(of_class(LegClass::Cache, B, "3"))],
        vec![with(of_class(LegClass::Spare, B, "4"))],
        vec![pool("DEGRADED", &weak), other(online(B, "5"))],
        vec![with(online(B, "6"))],
    ] {
        node.report(&pools).await;
        assert_eq!(node.shown().await[1], (String::new(), false), "{pools:?}");
        let alerts = node.alerts().await;
        assert!(!alerts.contains(&format!("{B} is UNAVAIL")), "{alerts}");
    }
}

#[tokio::test]
async fn a_lost_leg_is_named_with_its_last_known_disk() {
    let mut node = Reporter::new().await;
    node.report(&[pool("ONLINE", &[online(A, "1"), online(B, "2")])]).await;
    // B was copied to C with its label, then pulled; the pool was not complete since.
    node.report(&[pool("DEGRADED", &[lost("UNAVAIL", "1"), online(C, "2")])])
        .await;
    assert_eq!(node.shown().await, [(A.into(), false), (C.into(), true)]);
    node.report(&[pool("DEGRADED", &[online(A, "1"), lost("UNAVAIL", "2")])])
        .await;
    assert_eq!(node.shown().await, [(A.into(), true), (C.into(), false)]);
}
