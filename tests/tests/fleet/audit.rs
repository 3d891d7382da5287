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
        "apply",
        "task sent",
        "task sent",
        "task sent",
        "node revoked",
    ];
    assert_eq!(said, wanted);
    let apply = &entries[7];
    assert_eq!(
        (&apply.operator, apply.at_ms),
        (&entries[11].operator, heeler_tests::NOON)
    );
    assert!(entries[4].detail.contains("with consent"), "{:?}", entries[4]);
    assert_eq!(entries[8].operator, "coordinator", "nobody asked at that moment");
    // The caller's login name from the socket's credentials.
    assert!(!["", "coordinator", "somebody"].contains(&entries[11].operator.as_str()));
    let check = verified(&mut operator, vec![]).await;
    assert_eq!((check.broken_at, check.entries), (0, 12));
}

#[tokio::test]
async fn a_refused_action_is_not_audited_as_done() {
    use v1::snapshot_ask::Ask;
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let ask = |ask| v1::SnapshotsRequest {
        node: "a".into(),
        ask: Some(v1::SnapshotAsk {
            request_id: String::new(),
            ask: Some(ask),
        }),
    };
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
        "snapshot asked for",
        "snapshot asked for: refused",
        "snapshot asked for",
        "snapshot created",
        "hold asked for",
        "snapshot held",
        "release asked for",
        "release asked for: refused",
    ];
    assert_eq!(said[said.len() - wanted.len()..], wanted);
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
