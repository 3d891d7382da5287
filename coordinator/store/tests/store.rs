//! Round trips, and the rules that schema and queries enforce.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use heeler_store::{
    AuditEntry, Certificate, Event, EventQuery, NodeState, Operator, Pool, Revision, Store, StoreError, Token,
};

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("heeler.db")).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn a_node_keeps_its_hostid_whatever_is_written() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    let mut node = tx.node("a").await.unwrap().unwrap();
    assert_eq!((node.state, node.key_sha256), (NodeState::New, None));
    node.state = NodeState::Enrolled;
    node.key_sha256 = Some([7; 32]);
    node.hostid = "ffffffff".into();
    node.facts = Some(vec![1, 2]);
    tx.set_node(&node).await.unwrap();
    tx.save().await.unwrap();

    let kept = store.read().await.unwrap().node("a").await.unwrap().unwrap();
    assert_eq!(
        kept,
        heeler_store::Node {
            hostid: "00000001".into(),
            ..node
        }
    );
    assert_eq!(store.read().await.unwrap().node("b").await.unwrap(), None);
}

#[tokio::test]
async fn two_nodes_never_share_a_hostid() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    assert!(tx.add_node("b", "00000001").await.unwrap_err().is_duplicate());
}

#[tokio::test]
async fn an_unsaved_transaction_is_lost() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.set_meta("cluster", "k").await.unwrap();
    drop(tx);
    assert_eq!(store.read().await.unwrap().meta("cluster").await.unwrap(), None);
}

#[tokio::test]
async fn a_token_is_used_once() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    let token = |n: u8| Token {
        sha256: [n; 32],
        node: "a".into(),
        key_sha256: [9; 32],
        expires_at_ms: 10,
        used_at_ms: None,
    };
    tx.add_token(&token(1), 0).await.unwrap();
    tx.add_token(&token(2), 0).await.unwrap();
    assert_eq!(tx.token(&[1; 32]).await.unwrap(), None);
    tx.use_token(&[2; 32], 5).await.unwrap();
    assert!(matches!(
        tx.use_token(&[2; 32], 6).await,
        Err(StoreError::Rows { rows: 0, .. })
    ));
    tx.add_token(&token(3), 0).await.unwrap();
    assert_eq!(tx.token(&[2; 32]).await.unwrap().unwrap().used_at_ms, Some(5));
}

#[tokio::test]
async fn a_revisions_number_is_given_once() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.accepted().await.unwrap(), None);
    let revision = Revision {
        number: 1,
        text: "x".into(),
        sha256: [1; 32],
        git_commit: "c".into(),
        dirty_lines: 2,
        parent: 0,
        accepted_at_ms: 3,
        operator: "me".into(),
    };
    tx.add_revision(&revision).await.unwrap();
    assert!(tx.add_revision(&revision).await.unwrap_err().is_duplicate());
    assert_eq!(tx.accepted().await.unwrap(), Some(revision));
}

#[tokio::test]
async fn only_our_missing_pool_stays_on_record() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    tx.add_node("b", "00000002").await.unwrap();
    let pool = |guid: &str, node: &str, ours| Pool {
        guid: guid.into(),
        name: "data".into(),
        node: node.into(),
        ours,
        seen_at_ms: 1,
    };
    tx.record_pool(&pool("1", "a", true), &["S1".into(), "S2".into()])
        .await
        .unwrap();
    tx.record_pool(&pool("2", "a", false), &["S3".into()]).await.unwrap();
    // Reported by another node, as not ours: it stays ours, and stays with node a.
    tx.record_pool(&pool("1", "b", false), &["S1".into()]).await.unwrap();
    assert_eq!(tx.pool("1").await.unwrap(), Some(pool("1", "a", true)));
    // A pool that is not ours reports a disk with the same serial: the leg stays with our pool.
    tx.record_pool(&pool("3", "b", false), &["S2".into()]).await.unwrap();
    tx.forget_pool("3").await.unwrap();
    tx.forget_pool("2").await.unwrap();
    assert!(tx.forget_pool("1").await.is_err());
    let legs: Vec<_> = tx
        .legs()
        .await
        .unwrap()
        .into_iter()
        .map(|leg| (leg.serial, leg.guid, leg.node))
        .collect();
    assert_eq!(
        legs,
        [
            ("S1".into(), "1".into(), "a".into()),
            ("S2".into(), "1".into(), "a".into())
        ]
    );
}

#[tokio::test]
async fn a_pool_seen_whole_keeps_exactly_its_legs_on_record() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    let pool = Pool {
        guid: "1".into(),
        name: "data".into(),
        node: "a".into(),
        ours: true,
        seen_at_ms: 1,
    };
    tx.record_pool(&pool, &["S1".into(), "S2".into(), "S3".into()])
        .await
        .unwrap();
    tx.note_vdev("1", "S1", "11").await.unwrap();
    tx.note_vdev("2", "S2", "12").await.unwrap();
    assert_eq!(tx.vdevs("1").await.unwrap(), [("S1".into(), "11".into())]);
    assert_eq!(tx.keep_legs("1", &["S1".into(), "S3".into()]).await.unwrap(), ["S2"]);
    let left: Vec<_> = tx.legs().await.unwrap().into_iter().map(|leg| leg.serial).collect();
    assert_eq!(left, ["S1", "S3"]);
}

#[tokio::test]
async fn a_missing_disk_is_absent_not_forgotten() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    tx.add_node("b", "00000002").await.unwrap();
    tx.see_disks("a", &[("S1".into(), vec![1]), ("S2".into(), vec![2])], 1)
        .await
        .unwrap();
    tx.see_disks("a", &[("S2".into(), vec![3])], 2).await.unwrap();
    assert!(!tx.disk("S1").await.unwrap().unwrap().present);
    tx.see_disks("b", &[("S1".into(), vec![4])], 3).await.unwrap();
    let moved = tx.disk("S1").await.unwrap().unwrap();
    assert_eq!((moved.node.as_str(), moved.present), ("b", true));
    assert_eq!(tx.disks(Some("a")).await.unwrap().len(), 1);
    assert_eq!(tx.disks(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn events_are_numbered_upwards_and_filtered() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.last_event().await.unwrap(), 0);
    let event = |node: &str, task: &str| Event {
        at_ms: 1,
        node: node.into(),
        task_id: task.into(),
        kind: "note".into(),
        text: "x".into(),
        ..Event::default()
    };
    let first = tx.add_event(&event("a", "t")).await.unwrap();
    let second = tx.add_event(&event("b", "")).await.unwrap();
    assert!(second > first);
    assert_eq!(tx.last_event().await.unwrap(), second);
    let of = |after, node: &str, task: &str| EventQuery {
        after,
        node: node.into(),
        task_id: task.into(),
        limit: 10,
    };
    let ids = |events: Vec<heeler_store::Event>| events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(tx.events(&of(0, "", "")).await.unwrap()), [first, second]);
    assert_eq!(ids(tx.events(&of(first, "", "")).await.unwrap()), [second]);
    assert_eq!(ids(tx.events(&of(0, "", "t")).await.unwrap()), [first]);
    assert_eq!(ids(tx.events(&of(0, "b", "")).await.unwrap()), [second]);
}

#[tokio::test]
async fn certificates_and_operators_are_unique() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    let certificate = Certificate {
        serial: "01".into(),
        node: "a".into(),
        key_sha256: [1; 32],
        issued_at_ms: 1,
        expires_at_ms: 2,
    };
    tx.add_certificate(&certificate).await.unwrap();
    assert!(tx.add_certificate(&certificate).await.unwrap_err().is_duplicate());
    assert!(tx.has_certificate("01", "a").await.unwrap());
    assert!(!tx.has_certificate("01", "b").await.unwrap());
    let operator = Operator {
        name: "me".into(),
        public_key_pem: "PEM".into(),
    };
    tx.add_operator(&operator, 1).await.unwrap();
    assert!(tx.add_operator(&operator, 1).await.is_err());
    assert_eq!(tx.operators().await.unwrap(), [operator]);
}

#[tokio::test]
async fn a_nodes_reports_are_bounded() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    for (name, hostid) in [("a", "00000001"), ("b", "00000002")] {
        tx.add_node(name, hostid).await.unwrap();
    }
    let certificate = |node: &str, number: u64| Certificate {
        serial: format!("{node}{number}"),
        node: node.into(),
        key_sha256: [1; 32],
        issued_at_ms: number,
        expires_at_ms: number + 1,
    };
    tx.add_certificate(&certificate("b", 0)).await.unwrap();
    for number in 0..20 {
        tx.add_certificate(&certificate("a", number)).await.unwrap();
    }
    for (serial, node, kept) in [
        ("a0", "a", false),
        ("a4", "a", true),
        ("a19", "a", true),
        ("b0", "b", true),
    ] {
        assert_eq!(tx.has_certificate(serial, node).await.unwrap(), kept, "{serial}");
    }

    let disk = |serial: &str| (serial.to_owned(), Vec::new());
    tx.see_disks("a", &[disk("LEG"), disk("ABSENT")], 1).await.unwrap();
    let pool = Pool {
        guid: "1".into(),
        name: "data".into(),
        node: "a".into(),
        ours: true,
        seen_at_ms: 1,
    };
    tx.record_pool(&pool, &["LEG".into()]).await.unwrap();
    tx.see_disks("b", &[disk("B")], 1).await.unwrap();
    for at_ms in 2..5 {
        let lies: Vec<_> = (0..600).map(|number| disk(&format!("LIE{at_ms}-{number}"))).collect();
        tx.see_disks("a", &lies, at_ms).await.unwrap();
    }
    let disks = tx.disks(None).await.unwrap();
    assert_eq!(disks.len(), 256 + 2, "those of one look, the leg, and the other node's");
    let has = |serial: &str| disks.iter().any(|disk| disk.serial == serial);
    assert!(has("LEG") && has("B") && has("LIE4-0") && !has("ABSENT") && !has("LIE3-0"));
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let (folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    for number in 0..200 {
        let text = "x".repeat(500);
        tx.add_event(&Event {
            text,
            at_ms: number,
            ..Event::default()
        })
        .await
        .unwrap();
    }
    tx.save().await.unwrap();
    store.close().await;
    let path = folder.path().join("heeler.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() - 3 * 4096;
    bytes[middle..middle + 2 * 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    assert!(Store::open(&path).await.is_err());
}

#[tokio::test]
async fn the_database_protects_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heeler.db");
    let store = Store::open(&path).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let entry = AuditEntry {
        seq: 1,
        at_ms: 1,
        operator: "me".into(),
        action: "init".into(),
        node: String::new(),
        detail: String::new(),
        previous: [0; 32],
        hash: [1; 32],
    };
    tx.add_audit(&entry).await.unwrap();
    assert!(tx.add_audit(&entry).await.unwrap_err().is_duplicate());
    tx.save().await.unwrap();
    store.close().await;
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    for sql in ["UPDATE audit SET detail = 'x'", "DELETE FROM audit"] {
        let refused = sqlx::query(sql).execute(&raw).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn writing_resumes_when_the_disk_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heeler.db");
    Store::open(&path).await.unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len() + 256 * 1024;
    let store = Store::open_within(&path, Some(bytes)).await.unwrap();
    let put = async |key: &str, bytes: usize| {
        let mut tx = store.write().await?;
        tx.set_meta(key, &"x".repeat(bytes)).await?;
        tx.save().await
    };
    // More writers than connections.
    for number in 0..20 {
        let outcome = put("much", 1_000_000).await;
        assert!(outcome.is_err_and(|error| error.is_no_room()), "{number}");
    }
    put("little", 1).await.unwrap();
    let kept = store.read().await.unwrap().meta("little").await.unwrap();
    assert_eq!(kept.as_deref(), Some("x"));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (folder, store) = store().await;
    store.close().await;
    let path = folder.path().join("heeler.db");
    for (note, named) in [
        (
            "UPDATE meta SET value = '9.8.7' WHERE key = 'heeler'",
            "by heeler 9.8.7",
        ),
        ("DELETE FROM meta WHERE key = 'heeler'", "by a later version"),
    ] {
        let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        let later = "INSERT OR IGNORE INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'later', TRUE, x'00', 0)";
        for statement in [later, note] {
            sqlx::query(statement).execute(&raw).await.unwrap();
        }
        raw.close().await;
        let refused = Store::open(&path).await.unwrap_err();
        assert!(matches!(refused, StoreError::Later { .. }), "{refused:?}");
        let told = refused.to_string();
        for words in [
            named,
            "this is heeler ",
            "Install that version",
            "heeler backup restore",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

#[tokio::test]
async fn an_unreleased_database_is_refused_in_plain_words() {
    let (folder, store) = store().await;
    store.close().await;
    let path = folder.path().join("heeler.db");
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    for statement in [
        "UPDATE _sqlx_migrations SET description = 'first herd', checksum = x'00' WHERE version = 1",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (12, 'released', TRUE, x'00', 0)",
    ] {
        sqlx::query(statement).execute(&raw).await.unwrap();
    }
    raw.close().await;
    let refused = Store::open(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreleased), "{refused:?}");
    let text = refused.to_string();
    for words in [
        "made by an unreleased version",
        "cannot read this state folder",
        "Nothing was changed",
        "heeler init --state",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn an_alarm_is_its_node_kind_and_subject() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    let alarm = |subject: &str, text: &str| Event {
        at_ms: 1,
        node: "a".into(),
        kind: "alarm".into(),
        alarm: "pool errors".into(),
        subject: subject.into(),
        text: text.into(),
        ..Event::default()
    };
    tx.add_event(&alarm("11", "pool data: 1 read errors")).await.unwrap();
    tx.add_event(&alarm("12", "pool data: 1 read errors")).await.unwrap();
    assert_eq!(tx.alarms_since(0).await.unwrap().len(), 2);
    assert_eq!(tx.see_alarms(None, "me", 2).await.unwrap(), 2);
    assert_eq!(tx.alarms_since(0).await.unwrap(), []);
    let newer = Event {
        at_ms: 3,
        ..alarm("11", "pool data: 10 read errors")
    };
    tx.add_event(&newer).await.unwrap();
    let unseen = tx.alarms_since(0).await.unwrap();
    assert_eq!(unseen.len(), 1, "a repeat after it was seen counts");
    assert_eq!(
        (unseen[0].subject.as_str(), unseen[0].text.as_str()),
        ("11", newer.text.as_str())
    );
    let nameless = Event {
        alarm: String::new(),
        ..newer
    };
    assert!(tx.add_event(&nameless).await.is_err());
}

#[tokio::test]
async fn a_full_disk_is_reported_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_within(&folder.path().join("heeler.db"), Some(1 << 20)).await;
    let mut tx = store.unwrap().write().await.unwrap();
    let full = tx.set_meta("room", &"x".repeat(2 << 20)).await.unwrap_err();
    assert!(matches!(full, StoreError::Full(_)) && full.is_no_room(), "{full:?}");
    assert!(full.to_string().contains("df -h"), "{full}");
}
