//! Everyday commands: `heeler` alone, the handbook, secrets.

use heeler_proto::v1::*;
use serde_json::Value;

use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn made() -> Stage {
    let stage = Stage::empty();
    let config = stage.config().display().to_string();
    let line = format!("init --cluster k8sctl --address 10.0.0.2 {config}");
    assert_eq!(stage.types(&line).await.exit, Exit::Fine);
    stage
}

#[tokio::test]
async fn heeler_alone_says_how_to_begin_before_any_setup() {
    let stage = Stage::empty();
    let outcome = stage.types("").await;
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Unreachable, ""));
    let state = stage.state().display().to_string();
    let (said, rest) = outcome.out.split_once("\n\n").unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        said,
        format!("Nothing is set up here: there is no coordinator in {state}.")
    );
    assert_eq!(
        rest,
        "  heeler demo               try it on three simulated machines
  heeler init               create a coordinator: config folder, keys, database
  heeler operator request   join somebody else's cluster as an operator

Next: heeler init --cluster NAME FOLDER
"
    );
    let told = json(&stage.types("--json").await.out);
    assert_eq!((&told["coordinator"], &told["schema"]), (&"none".into(), &2.into()));
}

#[tokio::test]
async fn heeler_alone_says_what_to_start_where_nobody_answers() {
    let stage = made().await;
    let outcome = stage.types("").await;
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Unreachable, ""));
    assert!(outcome.out.contains("Next: heeler serve"), "{}", outcome.out);
    assert_eq!(json(&stage.types("--json").await.out)["coordinator"], "stopped");
}

#[tokio::test]
async fn heeler_alone_is_the_status_where_a_coordinator_answers() {
    let script = Script {
        status: StatusReply {
            light: Light::Green.into(),
            summary: "no nodes yet".into(),
            next: "heeler node add NAME --ssh USER@HOST".into(),
            ..StatusReply::default()
        },
        ..Script::default()
    };
    let outcome = Stage::with("", script).types("").await;
    assert_eq!(outcome.exit, Exit::Fine);
    assert_eq!(
        outcome.out,
        "GREEN  no nodes yet\n\nNext: heeler node add NAME --ssh USER@HOST\n"
    );
}

#[tokio::test]
async fn the_handbook_is_printed_with_or_without_a_coordinator() {
    let script = Script {
        handbook: HandbookReply {
            cluster: "k8sctl".into(),
            at_ms: NOW,
            ..HandbookReply::default()
        },
        ..Script::default()
    };
    let asked = Stage::with("", script).types("handbook").await;
    assert!(asked.out.starts_with("HANDBOOK of k8sctl, 2026-09-21"), "{}", asked.out);

    let stage = made().await;
    let read = stage.types("handbook").await;
    assert_eq!(read.exit, Exit::Fine, "{}", read.err);
    let config = stage.config().display().to_string();
    assert!(read.out.contains("HANDBOOK of k8sctl") && read.out.contains("No node was added yet."));
    let book = json(&stage.types("handbook --json").await.out);
    assert_eq!((&book["config"], &book["recovery_key"]), (&config.into(), &true.into()));
    assert_eq!(book["first_aid"][1]["when"], "A node is dead, or does not answer");

    let file = stage.folder.path().join("b.age").display().to_string();
    assert_eq!(stage.types(&format!("backup create {file}")).await.exit, Exit::Fine);
    let book = json(&stage.types("handbook --json").await.out);
    assert_eq!((&book["backup_at_ms"], &book["backup_by"]), (&NOW.into(), &"me".into()));

    let nothing = Stage::empty().types("handbook").await;
    assert_eq!(nothing.exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    let stage = Stage::with("", Script::default());
    let typed = stage.types_and_says("secret set pve-token", &["open sesame"]).await;
    assert_eq!((typed.exit, typed.out.as_str()), (Exit::Fine, "pve-token is set.\n"));
    let piped = stage.is_handed("secret set pve-token --json", "two\nlines\r\n").await;
    assert_eq!(json(&piped.out)["replaced"], true);
    let sent: Vec<_> = stage.fake.0.lock().unwrap().secrets_set.clone();
    let values: Vec<_> = sent.iter().map(|request| request.value.as_slice()).collect();
    assert_eq!(values, [b"open sesame".as_slice(), b"two\nlines"]);

    let nothing = stage.types("secret set pve-token").await;
    assert_eq!(nothing.exit, Exit::Usage);
    assert!(
        nothing.err.contains("heeler secret set pve-token < FILE"),
        "{}",
        nothing.err
    );
    let large = stage.is_handed("secret set big", &"x".repeat(65 << 10)).await;
    assert_eq!(large.exit, Exit::Usage);
    assert_eq!(stage.fake.0.lock().unwrap().secrets_set.len(), 2);
}

#[tokio::test]
async fn an_unreadable_secret_needs_a_person() {
    let secret = |name: &str, opens| SecretInfo {
        name: name.into(),
        set_at_ms: NOW,
        set_by: "me".into(),
        opens,
    };
    let script = Script {
        secrets: vec![secret("a", true), secret("b", false)],
        ..Script::default()
    };
    let stage = Stage::with("", script);
    let list = stage.types("secret list").await;
    assert_eq!(list.exit, Exit::Person);
    assert!(list.out.contains("b       0 s  me  DOES NOT OPEN"), "{}", list.out);
    assert_eq!(
        stage.types_and_says("secret remove b", &["n"]).await.exit,
        Exit::Refused
    );
    let removed = stage.types("secret remove b --yes").await;
    assert!(removed.out.starts_with("b is removed.\n"), "{}", removed.out);
    let left = stage.types("secret list --json").await;
    assert_eq!(
        (left.exit, &json(&left.out)["secrets"][0]["name"]),
        (Exit::Fine, &"a".into())
    );
}

#[tokio::test]
async fn demo_refuses_json() {
    let stage = Stage::empty();
    let told = stage.types("demo --once --json").await;
    assert_eq!(told.exit, Exit::Usage);
    assert!(told.err.contains("--json"), "{}", told.err);
    assert_eq!(stage.types("demo --once").await.exit, Exit::Fine);
}
