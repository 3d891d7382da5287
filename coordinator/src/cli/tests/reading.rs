use heeler_proto::v1::*;
use serde_json::Value;

use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;

pub const TOML: &str = "[cluster]\nname = \"k8sctl\"\n\n[coordinator]\naddresses = [\"10.10.80.9\"]\n\n\
    [nodes.pi5l]\naddress = \"10.10.80.50\"\n";

fn planned(outcome: StepOutcome) -> Script {
    let step = StepReport {
        outcome: outcome.into(),
        ..StepReport::default()
    };
    let node = NodePlan {
        node: "pi5l".into(),
        steps: vec![step],
        enrolled: true,
        ..NodePlan::default()
    };
    Script {
        plan: PlanReply {
            nodes: vec![node],
            now_ms: NOW,
            ..PlanReply::default()
        },
        ..Script::default()
    }
}

#[tokio::test]
async fn without_a_coordinator_every_command_says_what_to_start() {
    let stage = Stage::empty();
    std::fs::write(stage.config().join("heeler.toml"), TOML).unwrap();
    for line in [
        "status",
        "plan",
        "apply",
        "node list",
        "disk list",
        "task list",
        "events",
        "events --follow",
        "revision show",
    ] {
        let outcome = stage.types(line).await;
        assert_eq!(outcome.exit, Exit::Unreachable, "{line}");
        assert!(
            outcome.err.contains("Start it: heeler serve"),
            "{line}: {}",
            outcome.err
        );
    }
}

#[tokio::test]
async fn a_wrong_heeler_toml_is_not_sent() {
    let stage = Stage::with(&TOML.replace("address =", "adress ="), planned(StepOutcome::Change));
    let outcome = stage.types("plan").await;
    assert_eq!(outcome.exit, Exit::Error);
    assert!(
        outcome.err.contains("^^^^^^ did you mean \"address\"?"),
        "{}",
        outcome.err
    );
    assert!(stage.fake.0.lock().unwrap().planned.is_empty());
}

#[tokio::test]
async fn a_missing_heeler_toml_gives_the_init_command() {
    let outcome = Stage::empty().types("plan").await;
    assert_eq!(outcome.exit, Exit::Error);
    assert!(outcome.err.contains("heeler init --cluster"), "{}", outcome.err);
}

#[tokio::test]
async fn plan_reports_changes_by_exit_code_on_request() {
    for (outcome, plain, coded) in [
        (StepOutcome::Satisfied, Exit::Fine, Exit::Fine),
        (StepOutcome::Change, Exit::Fine, Exit::Usage),
        (StepOutcome::Blocked, Exit::Fine, Exit::Person),
    ] {
        let stage = Stage::with(TOML, planned(outcome));
        assert_eq!(stage.types("plan").await.exit, plain, "{outcome:?}");
        assert_eq!(stage.types("plan --exit-code").await.exit, coded, "{outcome:?}");
    }
}

#[tokio::test]
async fn an_unknown_node_lists_the_known_ones() {
    let outcome = Stage::with(TOML, planned(StepOutcome::Satisfied))
        .types("plan pi5r")
        .await;
    assert_eq!(outcome.exit, Exit::Error);
    assert!(
        outcome
            .err
            .contains("heeler.toml has no node pi5r\nDid you mean pi5l? Known: pi5l"),
        "{}",
        outcome.err
    );
}

pub fn fleet() -> Script {
    let disk = Disk {
        serial: "S1".into(),
        r#use: DiskUse::Blank.into(),
        ..Disk::default()
    };
    let facts = Facts {
        disks: vec![disk.clone()],
        ..Facts::default()
    };
    let task = |id: &str| TaskInfo {
        task_id: id.repeat(32),
        node: "pi5l".into(),
        state: TaskState::Done.into(),
        ..TaskInfo::default()
    };
    Script {
        status: StatusReply {
            light: Light::Green.into(),
            summary: "1 node, all is well.".into(),
            ..StatusReply::default()
        },
        nodes: vec![NodeInfo {
            node: "pi5l".into(),
            facts: Some(facts),
            ..NodeInfo::default()
        }],
        disks: vec![DiskRecord {
            node: "pi5l".into(),
            disk: Some(disk),
            present: true,
            ..DiskRecord::default()
        }],
        tasks: vec![task("a"), task("b")],
        revision: Revision {
            number: 3,
            text: TOML.replace("10.10.80.50", "10.10.80.51"),
            ..Revision::default()
        },
        streams: [vec![FleetEvent {
            id: 1,
            kind: EventKind::Connected.into(),
            ..FleetEvent::default()
        }]]
        .into(),
        ..planned(StepOutcome::Satisfied)
    }
}

#[tokio::test]
async fn every_reading_command_speaks_json_with_words_for_enums() {
    for (line, pointer, expected) in [
        ("status", "/light", "green"),
        ("plan", "/nodes/0/steps/0/outcome", "satisfied"),
        ("node list", "/nodes/0/node", "pi5l"),
        ("node show pi5l", "/node/facts/disks/0/use", "blank"),
        ("node discover pi5l", "/disks/0/serial", "S1"),
        ("disk list", "/disks/0/disk/use", "blank"),
        ("task list", "/tasks/1/state", "done"),
        ("task show a", "/state", "done"),
        ("revision show", "/sha256", ""),
        ("events", "/kind", "connected"),
    ] {
        let outcome = Stage::with(TOML, fleet()).types(&format!("{line} --json")).await;
        assert_eq!(outcome.exit, Exit::Fine, "{line}: {}", outcome.err);
        let document: Value = serde_json::from_str(&outcome.out).unwrap();
        assert_eq!(
            document.pointer(pointer),
            Some(&Value::from(expected)),
            "{line}: {document}"
        );
        assert_eq!(document["schema"], 2, "{line}");
    }
}

#[tokio::test]
async fn a_task_is_found_by_a_start_of_its_id() {
    let stage = Stage::with(TOML, fleet());
    assert!(stage.types("task show b").await.out.contains(&"b".repeat(32)));
    assert!(stage.types("task show c").await.err.contains("no task begins with c"));
}

#[tokio::test]
async fn config_pull_shows_the_difference_first() {
    let stage = Stage::with(TOML, fleet());
    let outcome = stage.types_and_says("revision show --write", &["n"]).await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert_eq!(
        std::fs::read_to_string(stage.config().join("heeler.toml")).unwrap(),
        TOML
    );
    let outcome = stage.types_and_says("revision show --write", &["y"]).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    assert!(
        outcome
            .out
            .contains("- address = \"10.10.80.50\"\n+ address = \"10.10.80.51\""),
        "{}",
        outcome.out
    );
    assert!(
        std::fs::read_to_string(stage.config().join("heeler.toml"))
            .unwrap()
            .contains("10.10.80.51")
    );
    assert!(
        std::fs::read_to_string(stage.config().join("heeler.lock"))
            .unwrap()
            .contains("revision = 3")
    );
}

#[tokio::test]
async fn a_node_is_only_revoked_after_a_y() {
    let stage = Stage::with(TOML, fleet());
    assert_eq!(stage.types("node revoke pi5l").await.exit, Exit::Refused);
    assert_eq!(
        stage.types_and_says("node revoke pi5l", &["no"]).await.exit,
        Exit::Refused
    );
    assert!(
        stage
            .types_and_says("node revoke pi5l", &["y"])
            .await
            .out
            .contains("its session was closed")
    );
}

#[tokio::test]
async fn a_coordinators_refusal_is_shown_as_it_is() {
    let outcome = Stage::with(TOML, fleet()).types("node show pi5x").await;
    assert_eq!(outcome.exit, Exit::Error);
    assert_eq!(outcome.err, "error: no node is called pi5x\nSee: heeler node list\n");
}

#[tokio::test]
async fn config_pull_never_overwrites_unreadable_text() {
    let stage = Stage::with(TOML, fleet());
    let path = stage.config().join("heeler.toml");
    let pulled = stage.types("config pull --yes --json").await;
    let document: Value = serde_json::from_str(&pulled.out).unwrap();
    assert_eq!(
        (pulled.exit, &document["changed"]),
        (Exit::Fine, &Value::from(true)),
        "{document}"
    );

    let mine = format!("{TOML}# mine\n");
    std::fs::write(&path, &mine).unwrap();
    // The first pull saved the text that was there.
    for number in [2, 3] {
        std::fs::write(&path, &mine).unwrap();
        stage.types("config pull --yes").await;
        let kept = stage.config().join(format!("heeler.toml.uncommitted-{number}"));
        assert_eq!(std::fs::read_to_string(kept).unwrap(), mine);
    }

    std::fs::write(&path, b"# Br\xfccke\n").unwrap();
    let kept = stage.types("config pull --yes").await;
    assert_eq!(kept.exit, Exit::Error);
    assert!(kept.err.contains("Move it away"), "{}", kept.err);
    assert_eq!(std::fs::read(&path).unwrap(), b"# Br\xfccke\n");

    let nowhere = stage.types("config pull --yes --config /nowhere/at/all").await;
    assert!(nowhere.err.contains("there is no such folder"), "{}", nowhere.err);
}

#[tokio::test]
async fn with_json_an_error_is_a_document_too() {
    let stage = Stage::with(TOML, planned(StepOutcome::Satisfied));
    let read = |out: &str| -> Value { serde_json::from_str(out).unwrap() };
    let unknown = read(&stage.types("plan pi5r --json").await.out);
    assert_eq!(
        (&unknown["error"]["message"], &unknown["error"]["exit"]),
        (&Value::from("heeler.toml has no node pi5r"), &Value::from(1))
    );
    let usage = read(&stage.types("plan --nosuch --json").await.out);
    assert_eq!(usage["error"]["exit"], 2);
    let bad = Stage::with("[cluster]\nname = 7\n", planned(StepOutcome::Satisfied));
    let bad = read(&bad.types("plan --json").await.out);
    assert_eq!(bad["error"]["heeler_toml"][1]["line"], 2, "{bad}");
}
