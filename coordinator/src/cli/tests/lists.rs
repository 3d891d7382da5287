//! Long lists and the audit log: pages of snapshots, entries, copies.

use heeler_proto::v1::*;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
}

const HOUR_MS: u64 = 3_600_000;

fn snapshot(number: u64) -> SnapshotRow {
    let name = format!("heeler_2026-09-{number:05}_hourly");
    SnapshotRow {
        dataset: "data/pve-files".into(),
        path: format!("/data/pve-files/.zfs/snapshot/{name}"),
        name,
        guid: number.to_string(),
        created_ms: NOW - (10_000 - number) * HOUR_MS,
        used_bytes: number << 20,
        classes: vec!["hourly".into()],
        reason: "kept: one of the last 24 hourly ones, and the newest that the other side has, too".into(),
        ..SnapshotRow::default()
    }
}

/// Ten thousand snapshots, in pages as the node sends them.
fn pages() -> Script {
    let rows: Vec<_> = (1..=10_000).map(snapshot).collect();
    let answers = rows.chunks(1_000).enumerate().map(|(place, rows)| SnapshotAnswer {
        rows: rows.to_vec(),
        more: place < 9,
        ..SnapshotAnswer::default()
    });
    Script {
        snapshots: answers.map(Ok).collect(),
        ..Script::default()
    }
}

#[tokio::test]
async fn a_dataset_that_no_node_has_is_reported_once() {
    let node = |name: &str| NodeInfo {
        node: name.into(),
        connected: true,
        ..NodeInfo::default()
    };
    let why = "pi5r: it has a name\nof two lines";
    let missing = |name: &str| {
        Err(Told {
            node: name.into(),
            what: why.into(),
            next: "See: the list".into(),
        })
    };
    let names = ["pi5l", "pi5r", "pi5x"];
    let script = || Script {
        nodes: names.map(node).to_vec(),
        snapshots: names.map(missing).into(),
        ..Script::default()
    };
    let all = format!("pi5l, pi5r, pi5x: {why}");
    let listed = Stage::with("", script()).types("snapshot list --dataset data/vn").await;
    assert_eq!(listed.exit, Exit::Refused, "{}", listed.err);
    assert_eq!(listed.err, format!("error: {all}\nSee: the list\n"));
    let document = Stage::with("", script()).types("snapshot list --json").await;
    let error = &json(&document.out)["error"];
    assert_eq!(error["message"], all, "nothing is taken out of a sentence");
    assert_eq!(error["next"], "See: the list");
}

#[tokio::test]
async fn ten_thousand_snapshots_fit_80_columns() {
    let stage = Stage::with("", pages());
    let listed = stage.types("snapshot list pi5l").await;
    assert_eq!(listed.exit, Exit::Fine, "{}", listed.err);
    fits(&listed.out);
    let mut lines = listed.out.lines();
    assert_eq!(lines.next(), Some("pi5l  10000 snapshots"));
    assert_eq!(lines.next(), Some("  data/pve-files"));
    assert_eq!(lines.next(), Some("  /data/pve-files/.zfs/snapshot/NAME"));
    assert_eq!(
        lines.next(),
        Some("    2025-07-31 23:13      1 MiB  heeler_2026-09-00001_hourly")
    );
    let names = listed.out.matches("_hourly\n").count();
    assert_eq!(
        names, 10_000,
        "each name stands whole at the end of its line, to be typed again"
    );

    let asked: Vec<_> = stage.fake.0.lock().unwrap().asked.drain(..).collect();
    let after = asked
        .into_iter()
        .map(|request| match request.ask.unwrap().ask.unwrap() {
            snapshot_ask::Ask::List(page) => page.after,
            other => panic!("{other:?}"),
        });
    let after: Vec<_> = after.collect();
    assert_eq!((after.len(), after[0].as_str()), (10, ""));
    assert_eq!(after[9], "data/pve-files@heeler_2026-09-09000_hourly");
}

#[tokio::test]
async fn the_same_list_as_json_holds_every_row_once() {
    let listed = Stage::with("", pages()).types("snapshot list pi5l --json").await;
    let listed = json(&listed.out);
    let rows = listed["nodes"][0]["snapshots"].as_array().unwrap();
    assert_eq!(rows.len(), 10_000);
    assert_eq!(rows[9_999]["guid"], "10000");
    assert_eq!(listed["schema"], 2);
}

#[tokio::test]
async fn the_snapshot_list_names_absent_nodes() {
    let node = |name: &str, connected| NodeInfo {
        node: name.into(),
        connected,
        ..NodeInfo::default()
    };
    let script = Script {
        nodes: vec![node("pi5l", true), node("pi5x", false)],
        snapshots: [Ok(SnapshotAnswer::default())].into(),
        ..Script::default()
    };
    let listed = Stage::with("", script).types("snapshot list").await;
    assert_eq!(listed.out, "pi5l  0 snapshots\n");
    assert_eq!(listed.err, "pi5x is skipped: not connected\n");
}

#[tokio::test]
async fn a_snapshot_list_without_nodes_is_an_error() {
    let node = |name: &str| NodeInfo {
        node: name.into(),
        connected: true,
        ..NodeInfo::default()
    };
    let no = Err(Told {
        node: "pi5l".into(),
        what: "no such dataset".into(),
        next: "See: the list".into(),
    });
    for (answers, exit) in [
        ([no.clone(), no.clone()], Exit::Refused),
        ([no.clone(), Ok(SnapshotAnswer::default())], Exit::Fine),
    ] {
        let script = Script {
            nodes: vec![node("pi5l"), node("pi5x")],
            snapshots: answers.into(),
            ..Script::default()
        };
        let listed = Stage::with("", script).types("snapshot list").await;
        assert_eq!(listed.exit, exit, "{}", listed.err);
        assert!(listed.err.contains("no such dataset"), "{}", listed.err);
        assert_eq!(listed.out.is_empty(), exit == Exit::Refused, "{}", listed.out);
    }
}

#[tokio::test]
async fn snapshot_refusals_are_shown() {
    let script = Script {
        snapshots: [Ok(SnapshotAnswer {
            no_pruning: "the clock has jumped".into(),
            ..SnapshotAnswer::default()
        })]
        .into(),
        ..Script::default()
    };
    let dry = Stage::with("", script).types("snapshot prune --dry-run pi5l").await;
    assert_eq!(
        dry.out,
        "pi5l  nothing to prune\n  nothing is pruned now: the clock has jumped\n"
    );
    let by_hand = Stage::with("", Script::default()).types("snapshot prune pi5l").await;
    assert_eq!(by_hand.exit, Exit::Usage, "nobody prunes by hand");
}

fn entry(seq: u64) -> AuditEntry {
    AuditEntry {
        seq,
        at_ms: NOW + seq,
        operator: "me".into(),
        action: "apply".into(),
        node: if seq.is_multiple_of(2) { "pi5l" } else { "pi5r" }.into(),
        detail: format!("revision {seq}, which says more than fits on a line of eighty columns of a terminal"),
        hash: vec![0xab; 32],
    }
}

fn log(entries: u64) -> Script {
    Script {
        audit: ListAuditReply {
            entries: (1..=entries).map(entry).collect(),
            last: entries,
        },
        ..Script::default()
    }
}

#[tokio::test]
async fn the_audit_list_ends_with_the_newest() {
    let stage = Stage::with("", log(2_500));
    let listed = stage.types("audit list -n 3").await;
    fits(&listed.out);
    assert_eq!(
        listed.out,
        "ENTRY  AT                WHO  NODE  WHAT
2498   2026-09-21 14:13  me   pi5l  apply
       revision 2498, which says more than fits on a line of eighty columns of a
       terminal
2499   2026-09-21 14:13  me   pi5r  apply
       revision 2499, which says more than fits on a line of eighty columns of a
       terminal
2500   2026-09-21 14:13  me   pi5l  apply
       revision 2500, which says more than fits on a line of eighty columns of a
       terminal
"
    );
    let all = json(&stage.types("audit list --all --json").await.out);
    assert_eq!(all["entries"].as_array().unwrap().len(), 2_500);
    let one = json(&stage.types("audit list -n 2 --node pi5r --json").await.out);
    let seqs: Vec<_> = one["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["seq"])
        .collect();
    assert_eq!(seqs, [2_497, 2_499]);
    assert_eq!(one["entries"][0]["hash"], "ab".repeat(32));
    let nothing = Stage::with("", Script::default()).types("audit list").await;
    assert_eq!(nothing.out, "The audit log is empty.\n");
}

#[tokio::test]
async fn only_a_broken_audit_log_needs_a_person() {
    let sound = VerifyAuditReply {
        entries: 41,
        hash: vec![1; 32],
        ..VerifyAuditReply::default()
    };
    let broken = VerifyAuditReply {
        broken_at: 7,
        broken: "entry 7 was changed after it was written".into(),
        ..sound.clone()
    };
    let cut = VerifyAuditReply {
        broken_at: 42,
        broken: "heeler.lock has seen entry 50, and the log ends at 41: entries were cut off".into(),
        ..sound.clone()
    };
    let restored = VerifyAuditReply {
        restored_at: 41,
        restored: "from a backup".into(),
        ..cut.clone()
    };
    let zeros = "0".repeat(64);
    let lock = format!("revision = 1\nsha256 = \"{zeros}\"\naudit = \"50:{zeros}\"\n");
    for (audit_check, word, exit) in [
        (sound, "OK      41 entries; the hash chain is correct", Exit::Fine),
        (
            broken,
            "BROKEN  entry 7 was changed after it was written.",
            Exit::Person,
        ),
        (cut, "BROKEN  heeler.lock has seen entry 50", Exit::Person),
        (restored, "SHORTER heeler.lock has seen entry 50", Exit::Fine),
    ] {
        let script = Script {
            audit_check,
            ..Script::default()
        };
        let stage = Stage::with("", script);
        std::fs::write(stage.config().join("heeler.lock"), &lock).unwrap();
        let said = stage.types("audit verify").await;
        assert_eq!(said.exit, exit, "{}{}", said.out, said.err);
        assert!(said.out.starts_with(word), "{}", said.out);
        fits(&said.out);
        let told = json(&stage.types("audit verify --json").await.out);
        assert_eq!(
            (&told["sound"], &told["compared_with_lock"]),
            (&(exit == Exit::Fine).into(), &50.into())
        );
        let known = &stage.fake.0.lock().unwrap().verified[0].known;
        assert_eq!(known[0].seq, 50);
    }
}

#[tokio::test]
async fn a_round_without_copies_needs_a_person() {
    let copy = CopyInfo {
        node: "pi5l".into(),
        name: "coordinator-1.age".into(),
        at_ms: NOW - HOUR_MS,
        bytes: 300_000,
    };
    let script = Script {
        copies: vec![copy],
        ..Script::default()
    };
    let stage = Stage::with("", script);
    let listed = stage.types("backup list").await;
    assert_eq!(
        listed.out,
        "NODE  TAKEN             AGE  SIZE\npi5l  2026-09-21 13:13  1 h  293 KiB\n"
    );
    assert_eq!(
        json(&stage.types("backup list --json").await.out)["copies"][0]["bytes"],
        300_000
    );
    let made = stage.types("backup copy").await;
    assert_eq!((made.exit, made.out.lines().count()), (Exit::Fine, 2));

    let script = Script {
        copy_problems: vec![CopyProblem {
            node: "pi5r".into(),
            reason: "its pool took no part of it within 60 s".into(),
        }],
        ..Script::default()
    };
    let stage = Stage::with("", script);
    let none = stage.types("backup copy").await;
    assert_eq!(none.exit, Exit::Person);
    assert!(
        none.out.contains("pi5r: its pool took no part of it within 60 s"),
        "{}",
        none.out
    );
    let nobody = stage.types("backup list").await;
    assert!(nobody.out.starts_with("No node holds a copy yet."), "{}", nobody.out);
}

#[tokio::test]
async fn alarms_are_marked_seen_for_one_node_or_all() {
    let script = Script {
        nodes: vec![NodeInfo {
            node: "pi5l".into(),
            ..NodeInfo::default()
        }],
        ..Script::default()
    };
    let stage = Stage::with("", script);
    let one = stage.types("events seen pi5l").await;
    assert_eq!(
        one.out,
        "2 alarms of pi5l are removed from the status, until they occur again.\n"
    );
    let all = json(&stage.types("events seen --json").await.out);
    assert_eq!((&all["node"], &all["alarms"]), (&Value::Null, &2.into()));
    assert_eq!(
        stage.types("events seen pi5x").await.exit,
        Exit::Error,
        "a slip of the pen"
    );
    assert_eq!(stage.types("events seen --follow").await.exit, Exit::Usage);
    let mistyped = stage.types("events --node pi5x").await;
    assert_eq!(mistyped.exit, Exit::Error, "nothing was ever written of it");
    // The first answer says that there are events, the second is the list.
    let written = FleetEvent {
        id: 1,
        node: "pi5x".into(),
        kind: EventKind::Connected.into(),
        ..FleetEvent::default()
    };
    stage.fake.0.lock().unwrap().streams = [vec![written.clone()], vec![written]].into();
    let removed = stage.types("events --node pi5x").await;
    assert_eq!(removed.exit, Exit::Fine, "its history stays: {}", removed.err);
    assert!(removed.err.contains("No node is called pi5x now"), "{}", removed.err);
    assert_eq!(stage.types("events --node pi5x --follow").await.exit, Exit::Error);
}

#[tokio::test]
async fn unknown_kinds_and_tasks_are_errors() {
    let stage = Stage::with("", Script::default());
    let kind = stage.types("events --follow --kind nope").await;
    assert_eq!(kind.exit, Exit::Usage);
    assert!(
        kind.err.contains("alarm, ") && kind.err.contains("connected, "),
        "{}",
        kind.err
    );
    assert!(kind.err.lines().all(|line| line.len() <= 80), "{}", kind.err);
    let id = "0123456789abcdef0123456789abcdef";
    for (named, part) in [("nope", "no task begins with nope"), (id, "no such task")] {
        let task = stage.types(&format!("events --task {named}")).await;
        assert_eq!(task.exit, Exit::Error);
        assert!(task.err.contains(part) && task.out.is_empty(), "{}", task.err);
    }
}
