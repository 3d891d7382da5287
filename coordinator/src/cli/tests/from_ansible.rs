//! `heeler init --from-ansible`: the report and the heeler.toml, and that a refused inventory writes nothing.

use super::fake::{Script, Stage};
use crate::cli::Exit;

const HOSTS: &str = include_str!("../../ansible/tests/seed.ini");
const LINE: &str = "init --cluster k8sctl --address 10.10.80.9 --from-ansible hosts.ini fleet";

fn stage(hosts: &str) -> Stage {
    let stage = Stage::empty();
    std::fs::write(stage.config().join("hosts.ini"), hosts).unwrap();
    stage
}

/// The text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn init_writes_the_nodes_of_an_inventory() {
    let stage = stage(HOSTS);
    let made = stage.types(LINE).await;
    assert_eq!(made.exit, Exit::Fine, "{}", made.err);
    let toml = std::fs::read_to_string(stage.config().join("fleet/heeler.toml")).unwrap();
    assert_eq!(toml, include_str!("../../ansible/tests/seed.toml"));
    let all: Vec<&str> = made.out.lines().collect();
    for line in [
        "Taken from the inventory",
        "  k8sctl-pi5l (line 3)  [nodes.k8sctl-pi5l] address = \"10.10.80.50\"",
        "  user_name (line 10)  [defaults] user = \"your_username\"",
        "Changed, because it is safer",
        "Left out",
        "      and in another terminal, for each node: heeler node add k8sctl-pi5l",
    ] {
        assert!(all.contains(&line), "{line}\nin\n{}", made.out);
    }
    assert!(flat(&made.out).contains("heeler disk list"), "{}", made.out);
    // The second run keeps the file.
    let refused = stage.types(LINE).await;
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.err);
    assert!(flat(&refused.err).contains("overwrites nothing"), "{}", refused.err);
    assert_eq!(
        std::fs::read_to_string(stage.config().join("fleet/heeler.toml")).unwrap(),
        toml
    );
    assert_eq!(stage.types("init fleet").await.exit, Exit::Fine);
}

#[tokio::test]
async fn the_report_of_an_inventory_is_a_document() {
    let secret = "hunter2!CANARY";
    let stage = stage(&format!("{HOSTS}ansible_become_pass={secret}\nmy_note='{secret}'\n"));
    let made = stage.types(&format!("{LINE} --json")).await;
    assert_eq!(made.exit, Exit::Fine, "{}", made.err);
    let document: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    let report = &document["from_ansible"];
    assert_eq!(report["taken"][0]["what"], "k8sctl-pi5l");
    assert_eq!(report["taken"][0]["lines"][0], 3);
    let left_out = report["left_out"].as_array().unwrap();
    assert!(
        left_out.iter().any(|note| note["what"] == "ansible_become_pass"),
        "{report}"
    );
    let toml = std::fs::read_to_string(stage.config().join("fleet/heeler.toml")).unwrap();
    for text in [&made.out, &made.err, &toml] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_bad_inventory_writes_nothing() {
    for (hosts, parts) in [
        (
            "[pve_nodes]\na ansible_host=\"10.0.0.1\nb c\n",
            &["hosts.ini has 2 mistakes", "line 2: a quote", "line 3:"][..],
        ),
        ("all:\n  hosts:\n", &["1 mistake", "YAML"]),
        ("", &["no hosts"]),
    ] {
        let stage = stage(hosts);
        let refused = stage.types(LINE).await;
        assert_eq!(refused.exit, Exit::Error, "{}", refused.err);
        for part in parts {
            assert!(flat(&refused.err).contains(part), "{part}: {}", refused.err);
        }
        assert!(!stage.config().join("fleet").exists());
        assert_eq!(std::fs::read_dir(stage.state()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn only_a_file_is_an_inventory() {
    let stage = stage(HOSTS);
    std::fs::create_dir(stage.config().join("inventory")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(stage.config().join("socket")).unwrap();
    for name in ["inventory", "socket", "missing.ini"] {
        let refused = stage.types(&LINE.replace("hosts.ini", name)).await;
        assert_ne!(refused.exit, Exit::Fine);
        assert!(flat(&refused.err).contains(name), "{}", refused.err);
        assert!(!stage.config().join("fleet").exists());
    }
    std::fs::create_dir(stage.config().join("group_vars")).unwrap();
    let made = stage.types(LINE).await;
    assert!(
        made.out.contains("  group_vars  Heeler reads the inventory alone"),
        "{}",
        made.out
    );
}

#[tokio::test]
async fn an_existing_heeler_toml_stays_as_it_is() {
    let mine = "[cluster]\nname = \"k8sctl\"\n\n[coordinator]\naddresses = [\"10.0.0.2\"]\n";
    let stage = Stage::with(mine, Script::default());
    std::fs::write(stage.config().join("hosts.ini"), HOSTS).unwrap();
    let refused = stage.types(&LINE.replace("fleet", ".")).await;
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.err);
    for part in ["exists already", "heeler init ", "heeler node add NAME"] {
        assert!(flat(&refused.err).contains(part), "{}", refused.err);
    }
    assert_eq!(
        std::fs::read_to_string(stage.config().join("heeler.toml")).unwrap(),
        mine
    );
}

#[tokio::test]
async fn the_inventorys_cluster_name_counts_unless_one_is_given() {
    for (given, name) in [("", "home"), ("--cluster other", "other")] {
        let stage = stage(&format!("{HOSTS}cluster_name=home\n"));
        let made = stage.types(&LINE.replace("--cluster k8sctl", given)).await;
        assert_eq!(made.exit, Exit::Fine, "{}", made.err);
        let toml = std::fs::read_to_string(stage.config().join("fleet/heeler.toml")).unwrap();
        assert!(toml.contains(&format!("name = \"{name}\"")), "{toml}");
    }
}
