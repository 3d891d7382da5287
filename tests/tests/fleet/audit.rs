//! The audit log: written with each action, in order; later changes are found.

use heeler_proto::v1;
use heeler_tests::{Fleet, Node, Operator};

use crate::scene::{DISKS, machine, pooled, until};

async fn entries(operator: &mut Operator) -> Vec<v1::AuditEntry> {
    let request = v1::ListAuditRequest {
        limit: 1000,
        ..Default::default()
    };
    operator.list_audit(request).await.unwrap().into_inner().entries
}

async fn verified(operator: &mut Operator, known: Vec<v1::AuditHead>) -> v1::VerifyAuditReply {
    let request = v1::VerifyAuditRequest { known };
    operator.verify_audit(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn every_action_is_audited_with_its_operator() {
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();

    let entries = entries(&mut operator).await;
    let said: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let wanted = [
        "init",
        "node add",
        "enrolled",
        "revision",
        "task",
        "task",
        "task",
        "task",
        "apply",
        "task sent",
        "task sent",
        "task sent",
        "task sent",
        "node revoked",
    ];
    assert_eq!(said, wanted);
    let apply = &entries[8];
    assert_eq!(
        (&apply.operator, apply.at_ms),
        (&entries[13].operator, heeler_tests::NOON)
    );
    assert!(entries[4].detail.contains("with consent"), "{:?}", entries[4]);
    assert_eq!(entries[9].operator, "coordinator", "nobody asked at that moment");
    // The caller's login name from the socket's credentials.
    assert!(!["", "coordinator", "somebody"].contains(&entries[13].operator.as_str()));
    let check = verified(&mut operator, vec![]).await;
    assert_eq!((check.broken_at, check.entries), (0, 14));
}

fn ask(ask: v1::snapshot_ask::Ask) -> v1::SnapshotsRequest {
    v1::SnapshotsRequest {
        node: "a".into(),
        ask: Some(v1::SnapshotAsk { ask: Some(ask) }),
    }
}

#[tokio::test]
async fn a_refused_action_is_not_audited_as_done() {
    use v1::snapshot_ask::Ask;
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let create = |dataset: &str| {
        ask(Ask::Create(v1::CreateSnapshot {
            dataset: dataset.into(),
            name: "mine".into(),
        }))
    };
    operator.snapshots(create("data/nope")).await.unwrap_err();
    operator.snapshots(create("data/pve-files")).await.unwrap();
    let hold = |tag: &str| v1::HoldSnapshot {
        snapshot: "data/pve-files@mine".into(),
        tag: tag.into(),
        consent: None,
    };
    operator.snapshots(ask(Ask::Hold(hold("keep")))).await.unwrap();
    operator.snapshots(ask(Ask::Release(hold("other")))).await.unwrap_err();

    let entries = entries(&mut operator).await;
    let said: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let wanted = [
        "asked to take",
        "asked to take: refused",
        "asked to take",
        "snapshot created",
        "asked to hold",
        "snapshot held",
        "asked to release",
        "asked to release: refused",
    ];
    assert_eq!(said[said.len() - wanted.len()..], wanted);
}

#[tokio::test]
async fn a_refused_snapshot_request_says_who_asked_and_what_exists() {
    use v1::snapshot_ask::Ask;
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let create = || {
        ask(Ask::Create(v1::CreateSnapshot {
            dataset: "data/pve-files".into(),
            name: "before-upgrade".into(),
        }))
    };
    let hold = |snapshot: &str| {
        ask(Ask::Hold(v1::HoldSnapshot {
            snapshot: snapshot.into(),
            tag: "keep".into(),
            consent: None,
        }))
    };
    let list = ask(Ask::List(v1::ListSnapshots {
        dataset: "data/vn".into(),
        ..v1::ListSnapshots::default()
    }));
    let unknown = operator.snapshots(list).await.unwrap_err();
    assert!(unknown.message().contains("Did you mean data/vm?"), "{unknown}");
    operator.snapshots(create()).await.unwrap();
    let twice = operator.snapshots(create()).await.unwrap_err();
    let wanted = "data/pve-files@before-upgrade exists already; choose another --name";
    assert!(twice.message().contains(wanted), "{twice}");
    let wrong = operator.snapshots(hold("data/pve-files@before")).await.unwrap_err();
    assert!(
        wrong.message().contains("there is no snapshot data/pve-files@before\n")
            && wrong.message().contains("Did you mean data/pve-files@before-upgrade?"),
        "{wrong}"
    );
    operator.snapshots(hold("data/pve-files@before-upgrade")).await.unwrap();
    let list = ask(Ask::List(v1::ListSnapshots {
        dataset: "data/pve-files".into(),
        ..v1::ListSnapshots::default()
    }));
    let listed = operator.snapshots(list).await.unwrap().into_inner().rows;
    let held: Vec<_> = listed.iter().filter(|row| row.holds > 0).collect();
    let [held] = held.as_slice() else { panic!("{listed:?}") };
    assert_eq!(
        (held.name.as_str(), held.tags.as_slice()),
        ("before-upgrade", ["keep".to_owned()].as_slice())
    );
    let mut events = operator.follow(0).await;
    let mut said = Vec::new();
    while said.len() < 4 {
        let event = events.message().await.unwrap().unwrap();
        said.extend((event.kind() == v1::EventKind::Snapshot).then_some(event.text));
    }
    // The login of whoever runs the test.
    let me = said[0].split(' ').next().unwrap_or_default().to_owned();
    assert_eq!(
        said,
        [
            format!("{me} took the snapshot data/pve-files@before-upgrade"),
            format!(
                "{me} asked to take the snapshot data/pve-files@before-upgrade; refused: \
                 data/pve-files@before-upgrade exists already; choose another --name"
            ),
            format!(
                "{me} asked to hold data/pve-files@before with the tag keep; refused: there is no snapshot \
                 data/pve-files@before"
            ),
            format!("{me} held data/pve-files@before-upgrade with the tag keep"),
        ]
    );
}

#[tokio::test]
async fn a_kept_head_shows_the_log_was_truncated() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let head = v1::AuditHead {
        place: "heeler.lock".into(),
        seq: 5,
        hash: vec![7; 32],
    };
    let check = verified(&mut operator, vec![head]).await;
    assert!(
        check.broken_at > 0 && check.broken.contains("removed from its end"),
        "{check:?}"
    );
}

#[tokio::test]
async fn a_log_that_was_changed_turns_the_status_red_unasked() {
    let mut fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let status = async |operator: &mut Operator| {
        let reply = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
        reply.alerts.into_iter().find(|alert| alert.text.contains("audit log"))
    };
    assert_eq!(status(&mut operator).await, None);
    let request = v1::SetSecretRequest {
        name: "tailscale".into(),
        value: b"x".to_vec(),
    };
    operator.set_secret(request).await.unwrap();
    assert_eq!(status(&mut operator).await, None);
    fleet.stop().await;
    // Changes the file directly, past the database's triggers.
    let file = fleet.state().database();
    let mut bytes = std::fs::read(&file).unwrap();
    let (was, shall) = (b"secret set", b"secret get");
    let at = bytes.windows(was.len()).position(|part| part == was).unwrap();
    bytes[at..at + was.len()].copy_from_slice(shall);
    std::fs::write(&file, bytes).unwrap();
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    // The status does not wait for a check of the whole log.
    let mut alert = None;
    until(async || {
        alert = status(&mut operator).await;
        alert.is_some()
    })
    .await;
    let alert = alert.unwrap();
    assert!(
        alert.light() == v1::Light::Red && alert.text.contains("entry 2") && alert.next == "heeler audit verify",
        "{alert:?}"
    );
}
