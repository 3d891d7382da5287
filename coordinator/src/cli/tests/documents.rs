//! What the commands print with --json is what docs/json says.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};
use serde_json::{Value, json};

use super::fake::Stage;
use super::reading::{TOML, fleet};
use super::schema::{fits, of, schema};
use crate::cli::args::Heeler;

/// Commands that have no result to print.
const WITHOUT: [&str; 4] = ["completions", "demo", "manual", "serve"];

/// The name of the command's document in the schema.
fn document_of(line: &str) -> String {
    let root = Heeler::command();
    let (mut at, mut path) = (&root, Vec::new());
    for word in line.split_whitespace() {
        if let Some(below) = at.find_subcommand(word) {
            path.push(below.get_name());
            at = below;
        }
    }
    match path.join("_").as_str() {
        "" => "heeler".to_owned(),
        "revision_show" if line.contains("--write") => "config_pull".to_owned(),
        name => name.to_owned(),
    }
}

/// Checks everything that a command line has printed.
pub fn conform(line: &str, out: &str) {
    let schema = schema();
    let command = document_of(line);
    for document in serde_json::Deserializer::from_str(out).into_iter::<Value>() {
        let mut document = document.unwrap();
        let number = document.as_object_mut().unwrap().remove("schema");
        let name = if document.get("error").is_some_and(Value::is_object) {
            "failure"
        } else {
            &command
        };
        let def = of(&schema, name);
        assert_eq!(number.as_ref(), def.pointer("/properties/schema/const"), "{line}");
        if let Err(problem) = fits(&schema, def, &document) {
            panic!("{line}: {problem}");
        }
    }
}

fn leaves(command: &Command, path: &str, found: &mut BTreeSet<String>) {
    let below: Vec<_> = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
        .collect();
    if !command.is_subcommand_required_set() {
        found.insert(if path.is_empty() {
            "heeler".to_owned()
        } else {
            path.to_owned()
        });
    }
    for below in below {
        let path = format!("{path}_{}", below.get_name());
        leaves(below, path.trim_start_matches('_'), found);
    }
}

#[test]
fn every_command_has_a_document_in_the_schema() {
    let mut commands = BTreeSet::new();
    leaves(&Heeler::command(), "", &mut commands);
    commands.retain(|name| !WITHOUT.contains(&name.as_str()));
    commands.insert("failure".into());
    let schema = schema();
    let documents: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(commands, documents);
}

#[test]
fn a_document_with_a_wrong_key_does_not_fit() {
    let schema = schema();
    let removed = |value: Value| fits(&schema, of(&schema, "secret_remove"), &value);
    assert_eq!(removed(json!({ "name": "a", "removed": true })), Ok(()));
    for bad in [
        json!({ "name": "a" }),
        json!({ "name": "a", "removed": true, "other": 1 }),
        json!({ "name": "a", "removed": null }),
        json!([]),
    ] {
        assert!(removed(bad.clone()).is_err(), "{bad}");
    }
    let light = |word: &str| fits(&schema, &json!({ "$ref": "#/$defs/Light" }), &word.into());
    assert_eq!((light("green"), light("Green").is_err()), (Ok(()), true));
}

/// What the commands print is compared with the schema by the stage. Those that are not here need a key, a state or ssh.
#[tokio::test]
async fn each_command_prints_its_document_and_no_other() {
    for line in [
        "",
        "apply --yes",
        "audit list",
        "audit verify",
        "backup copy",
        "backup list",
        "ca show",
        "config pull --yes",
        "disk erase S1",
        "disk list",
        "events",
        "events seen",
        "handbook",
        "node discover pi5l",
        "node list",
        "node pause pi5l --for 2h",
        "node release pi5l --yes",
        "node remove pi5l --yes",
        "node resume pi5l",
        "node revoke pi5l --yes",
        "node show pi5l",
        "operator list",
        "operator request --name ann",
        "plan",
        "pool forget pi5l data",
        "revision show",
        "secret list",
        "snapshot create pi5l data/a",
        "snapshot diff pi5l data/a@x",
        "snapshot hold pi5l data/a@x",
        "snapshot list pi5l",
        "snapshot prune --dry-run pi5l",
        "status",
        "task list",
        "task show a",
    ] {
        let printed = Stage::with(TOML, fleet()).types(&format!("{line} --json")).await;
        let documents = serde_json::Deserializer::from_str(&printed.out).into_iter::<Value>();
        let documents: Vec<_> = documents.map(Result::unwrap).collect();
        let failed = documents
            .iter()
            .any(|document| document.get("error").is_some_and(Value::is_object));
        assert!(
            !documents.is_empty() && !failed,
            "{line}: {}{}",
            printed.out,
            printed.err
        );
    }
}
