//! A coordinator is lost and restored, as a person types it.

use super::fake::Stage;
use crate::cli::Exit;

async fn made() -> Stage {
    let stage = Stage::empty();
    let config = stage.config().display().to_string();
    let outcome = stage
        .types(&format!("init --cluster k8sctl --address 10.0.0.2 {config}"))
        .await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    let key = stage.folder.path().join("heeler-recovery-k8sctl.txt");
    assert!(
        outcome.out.contains("heeler-recovery-k8sctl.txt (made)"),
        "{}",
        outcome.out
    );
    assert!(std::fs::read_to_string(key).unwrap().contains("AGE-SECRET-KEY-1"));
    stage
}

#[tokio::test]
async fn init_keeps_the_recovery_key_outside_both_folders() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = made().await;
    let key = stage.folder.path().join("heeler-recovery-k8sctl.txt");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let mut folders = vec![stage.state(), stage.config()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap_or_default();
                let found = bytes.windows(16).any(|window| window == b"AGE-SECRET-KEY-1");
                assert!(!found, "{} holds the key", path.display());
            }
        }
    }
    for folder in [stage.state(), stage.config()] {
        let (key, config) = (folder.join("key.txt"), stage.config());
        let line = format!("init --recovery {} {}", key.display(), config.display());
        let within = stage.types(&line).await;
        assert_eq!(within.exit, Exit::Usage, "{}", within.err);
    }
}

#[tokio::test]
async fn one_command_restores_a_destroyed_coordinator() {
    let stage = made().await;
    let ca = std::fs::read(stage.state().join("ca/key.pem")).unwrap();
    let at = |name: &str| stage.folder.path().join(name).display().to_string();
    let created = stage.types(&format!("backup create {}", at("b.age"))).await;
    assert_eq!(created.exit, Exit::Fine, "{}", created.err);
    let again = stage.types(&format!("backup create {}", at("b.age"))).await;
    assert_eq!(again.exit, Exit::Usage, "never overwrites a backup");
    let key = at("heeler-recovery-k8sctl.txt");
    let sound = stage
        .types(&format!("backup verify {} --identity {key}", at("b.age")))
        .await;
    assert!(
        sound.exit == Exit::Fine && sound.out.contains("cluster k8sctl"),
        "{}{}",
        sound.out,
        sound.err
    );

    let over = stage
        .types(&format!("backup restore {} --identity {key}", at("b.age")))
        .await;
    assert!(
        over.exit == Exit::Error && over.err.contains("--replace"),
        "{}",
        over.err
    );
    std::fs::remove_dir_all(stage.state()).unwrap();
    let back = stage
        .types(&format!("backup restore {} --identity {key}", at("b.age")))
        .await;
    assert_eq!(back.exit, Exit::Fine, "{}", back.err);
    assert!(back.out.contains("Next: heeler serve"), "{}", back.out);
    assert_eq!(std::fs::read(stage.state().join("ca/key.pem")).unwrap(), ca);
    // An operator revoked after the backup is trusted again: text and JSON say so.
    let warned = back.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = [
        "Operators who are trusted again, as at that time:",
        "heeler operator list",
        "heeler operator revoke NAME",
    ];
    assert!(words.iter().all(|word| warned.contains(word)), "{warned}");
    let line = format!("backup restore {} --identity {key} --replace --json", at("b.age"));
    let document: serde_json::Value = serde_json::from_str(&stage.types(&line).await.out).unwrap();
    assert_eq!(document["operators"].as_array().unwrap().len(), 1, "{document}");
}

#[tokio::test]
async fn a_file_that_is_no_backup_asks_for_no_key() {
    let stage = made().await;
    let at = |name: &str| stage.folder.path().join(name).display().to_string();
    std::fs::write(at("x.age"), "hi").unwrap();
    stage.types(&format!("backup create {}", at("b.age"))).await;
    let key = "AGE-SECRET-KEY-1NOTREALLY";
    for (line, exit, words) in [
        (
            format!("backup verify {}", at("x.age")),
            Exit::Error,
            "not a heeler backup",
        ),
        (
            format!("backup restore {} --replace", at("x.age")),
            Exit::Error,
            "not a heeler backup",
        ),
        (
            format!("backup verify {} --passphrase", at("b.age")),
            Exit::Usage,
            "is encrypted for a recovery key",
        ),
    ] {
        let outcome = stage.types_and_says(&line, &[key]).await;
        assert_eq!((outcome.exit, outcome.asked), (exit, Vec::new()), "{line}");
        assert!(outcome.err.contains(words), "{line}: {}", outcome.err);
    }
}

#[tokio::test]
async fn a_restore_over_a_running_coordinator_asks_for_no_key() {
    let stage = made().await;
    let file = stage.folder.path().join("b.age").display().to_string();
    stage.types(&format!("backup create {file}")).await;
    let _runs = crate::state::StateFolder::new(stage.state()).lock().unwrap();
    let line = format!("backup restore {file} --replace");
    let outcome = stage.types_and_says(&line, &["AGE-SECRET-KEY-1NOTREALLY"]).await;
    assert_eq!((outcome.exit, outcome.asked), (Exit::Error, Vec::new()));
    assert!(outcome.err.contains("another coordinator (process"), "{}", outcome.err);
}

#[tokio::test]
async fn without_a_state_folder_no_command_says_to_start_it() {
    let stage = Stage::empty();
    let nowhere = stage.folder.path().join("nope").display().to_string();
    for command in ["status", "handbook", "backup create", "node list"] {
        let outcome = stage.types(&format!("--state {nowhere} {command}")).await;
        assert_eq!(outcome.exit, Exit::Unreachable, "{command}");
        assert!(outcome.err.contains("--coordinator"), "{command}: {}", outcome.err);
        assert!(!outcome.err.contains("heeler serve"), "{command}: {}", outcome.err);
    }
    // An operator of a coordinator on another machine.
    stage.key("key");
    let outcome = stage.types("status").await;
    assert!(!outcome.err.contains("heeler serve"), "{}", outcome.err);
}

#[tokio::test]
async fn a_missing_recovery_key_is_asked_for() {
    let stage = made().await;
    let file = stage.folder.path().join("b.age").display().to_string();
    stage.types(&format!("backup create {file}")).await;
    let nobody = stage.types(&format!("backup verify {file}")).await;
    assert!(nobody.err.contains("--identity"), "{}", nobody.err);
    let rubbish = stage
        .types_and_says(&format!("backup verify {file}"), &["AGE-SECRET-KEY-1NOTREALLY"])
        .await;
    assert!(rubbish.err.contains("not a recovery key"), "{}", rubbish.err);
}

#[tokio::test]
async fn init_repairs_an_empty_heeler_toml() {
    let stage = Stage::empty();
    std::fs::write(stage.config().join("heeler.toml"), "").unwrap();
    let config = stage.config().display().to_string();
    let outcome = stage
        .types(&format!("init --cluster k8sctl --address 10.0.0.2 {config}"))
        .await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
}
