//! `heeler init`: what it makes, and that it makes nothing when it refuses.

use std::path::{Path, PathBuf};

use heeler_store::{Operator, Store};

use super::fake::{NOW, Stage};
use crate::cli::Exit;

/// Every file and folder below, with its content.
fn below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.clone(), std::fs::read(&path).unwrap_or_default()));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_bad_operator_name_writes_nothing() {
    let stage = Stage::empty();
    let before = below(stage.folder.path());
    for name in ["../../../escaped", "", "müller", ".hidden", "a/b"] {
        let line = format!("init --cluster k8sctl --address 10.0.0.2 --operator={name} new");
        let refused = stage.types(&line).await;
        assert_eq!(refused.exit, Exit::Usage, "{name}: {}", refused.err);
        assert!(
            refused.err.contains("letters, digits") && refused.err.contains("--operator NAME"),
            "{}",
            refused.err
        );
        assert_eq!(below(stage.folder.path()), before, "{name}");
    }
}

#[tokio::test]
async fn init_adds_no_operator_to_an_existing_coordinator() {
    let stage = Stage::empty();
    let line = "init --cluster k8sctl --address 10.0.0.2 .";
    let made = stage.types(line).await;
    assert_eq!(made.exit, Exit::Fine, "{}", made.err);
    let before = operators(&stage).await;
    for folder in [".", "elsewhere"] {
        let refused = stage
            .types(&format!("init --cluster k8sctl --operator bo {folder}"))
            .await;
        assert_eq!(refused.exit, Exit::Error, "{}", refused.err);
        for part in ["operator request --name bo", "operator add", "--operator me"] {
            assert!(refused.err.contains(part), "{part}: {}", refused.err);
        }
        assert_eq!(operators(&stage).await, before);
        assert!(!stage.state().join("operators/bo").exists());
        assert!(!stage.config().join("elsewhere").exists());
    }
    let again = stage.types(&format!("{line} --operator me")).await;
    assert!(
        again.exit == Exit::Fine && again.out.contains("exists already"),
        "{}{}",
        again.out,
        again.err
    );
}

#[tokio::test]
async fn init_without_the_operators_key_makes_none() {
    let stage = Stage::empty();
    let line = "init --cluster k8sctl --address 10.0.0.2 .";
    assert_eq!(stage.types(line).await.exit, Exit::Fine);
    let store = Store::open(&stage.state().join("heeler.db")).await.unwrap();
    let mut tx = store.write().await.unwrap();
    for name in ["bo", "di"] {
        let operator = Operator {
            name: name.into(),
            public_key_pem: "theirs".into(),
        };
        tx.add_operator(&operator, NOW).await.unwrap();
    }
    tx.revoke_operator("bo", "me", NOW).await.unwrap();
    tx.save().await.unwrap();
    store.close().await;
    for (name, part) in [("bo", "revoked"), ("di", "")] {
        let refused = stage.types(&format!("{line} --operator {name}")).await;
        let exit = if part.is_empty() { Exit::Fine } else { Exit::Error };
        assert!(refused.exit == exit && refused.err.contains(part), "{}", refused.err);
        assert!(!refused.err.contains("UNIQUE"), "{}", refused.err);
        assert!(!stage.state().join("operators").join(name).exists());
    }
    let key = stage.state().join("operators/me/key.pem");
    std::fs::remove_file(&key).unwrap();
    std::fs::remove_file(stage.state().join("config")).unwrap();
    let repaired = stage.types(line).await;
    assert_eq!(repaired.exit, Exit::Fine, "{}", repaired.err);
    assert!(stage.state().join("config").exists() && !key.exists());
    crate::pki::new_operator(&stage.state().join("operators/me")).unwrap();
    let refused = stage.types(line).await;
    assert!(refused.err.contains("not here"), "{}", refused.err);
}

#[tokio::test]
async fn init_never_overwrites_an_unreadable_heeler_toml() {
    for folder in [false, true] {
        let stage = Stage::empty();
        let path = stage.config().join("heeler.toml");
        match folder {
            true => std::fs::create_dir(&path).unwrap(),
            false => std::fs::write(&path, b"\xff\xfe").unwrap(),
        }
        let before = below(stage.folder.path());
        let refused = stage.types("init --cluster k8sctl --address 10.0.0.2 .").await;
        assert_eq!(refused.exit, Exit::Error, "{}", refused.err);
        assert!(refused.err.contains("heeler.toml"), "{}", refused.err);
        assert_eq!(below(stage.folder.path()), before);
    }
}

/// Every operator on record, revoked ones too.
async fn operators(stage: &Stage) -> Vec<String> {
    let store = Store::open(&stage.state().join("heeler.db")).await.unwrap();
    let records = store.read().await.unwrap().operator_records().await.unwrap();
    store.close().await;
    records.into_iter().map(|record| record.name).collect()
}

#[tokio::test]
async fn a_refused_init_writes_no_heeler_toml() {
    let line = "init --cluster k8sctl --address 10.0.0.2 new";
    let cases = [
        ("k8sctl", true, "backup restore"),
        ("other", false, "the state of the cluster"),
    ];
    for (cluster, loses, part) in cases {
        let stage = Stage::empty();
        let made = stage
            .types(&format!("init --cluster {cluster} --address 10.0.0.2 ."))
            .await;
        assert_eq!(made.exit, Exit::Fine, "{}", made.err);
        if loses {
            std::fs::remove_file(stage.state().join("heeler.db")).unwrap();
        }
        let refused = stage.types(line).await;
        assert!(
            refused.exit != Exit::Fine && refused.err.contains(part),
            "{}",
            refused.err
        );
        assert!(!stage.config().join("new").exists(), "{part}");
    }
}

#[tokio::test]
async fn a_recovery_file_without_key_stops_init() {
    let stage = Stage::empty();
    let key = stage.folder.path().join("junk.txt");
    std::fs::write(&key, "put away\n").unwrap();
    let before = below(stage.folder.path());
    let line = format!(
        "init --cluster k8sctl --address 10.0.0.2 --recovery {} new",
        key.display()
    );
    let refused = stage.types(&line).await;
    assert_eq!(refused.exit, Exit::Error, "{}", refused.err);
    assert!(
        refused.err.contains("junk.txt") && refused.err.contains("--recovery"),
        "{}",
        refused.err
    );
    assert_eq!(below(stage.folder.path()), before);
    // A known recovery key is not asked for.
    assert_eq!(
        stage.types("init --cluster k8sctl --address 10.0.0.2 .").await.exit,
        Exit::Fine
    );
    let again = stage.types(&format!("init --recovery {} .", key.display())).await;
    assert_eq!(again.exit, Exit::Usage, "{}", again.err);
    assert!(again.err.contains("Leave it out"), "{}", again.err);
}

#[tokio::test]
async fn no_option_of_init_is_ignored() {
    let stage = Stage::empty();
    let line = "init --cluster k8sctl --address 10.0.0.2 first";
    assert_eq!(stage.types(line).await.exit, Exit::Fine);
    let before = below(stage.folder.path());
    let second = stage.types("init --cluster k8sctl --address 10.0.0.2 second").await;
    assert_eq!(second.exit, Exit::Usage, "{}", second.err);
    assert!(second.err.contains("nothing was created in"), "{}", second.err);
    let other = stage.types("init --address 10.0.0.3 first").await;
    assert_eq!(other.exit, Exit::Usage, "{}", other.err);
    assert!(other.err.contains("[coordinator]"), "{}", other.err);
    assert_eq!(below(stage.folder.path()), before);
    let repaired = stage.types("init first").await;
    assert_eq!(repaired.exit, Exit::Fine, "{}", repaired.err);
}

#[tokio::test]
async fn init_beside_a_running_coordinator_names_another_folder() {
    let stage = Stage::empty();
    assert_eq!(
        stage.types("init --cluster k8sctl --address 10.0.0.2 first").await.exit,
        Exit::Fine
    );
    let _runs = crate::state::StateFolder::new(stage.state()).lock().unwrap();
    let refused = stage.types("init first").await;
    assert_eq!(refused.exit, Exit::Error, "{}", refused.err);
    assert!(refused.err.contains("unset HEELER_STATE"), "{}", refused.err);
    assert!(!refused.err.contains("kill"), "{}", refused.err);
}
