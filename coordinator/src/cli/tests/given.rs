//! Arguments are checked before any question is asked and before anything is changed or signed.

use heeler_proto::Word as _;
use heeler_proto::v1::*;
use serde_json::Value;

use super::apply::{TOML, creation, key, plan, script};
use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;
use crate::pki::Ca;

fn node(name: &str) -> NodeInfo {
    NodeInfo {
        node: name.into(),
        ..NodeInfo::default()
    }
}

fn operator(name: &str, revoked_at_ms: u64) -> OperatorInfo {
    OperatorInfo {
        name: name.into(),
        public_key: vec![4; 65],
        revoked_at_ms,
        ..OperatorInfo::default()
    }
}

fn known() -> Script {
    let secret = |name: &str| SecretInfo {
        name: name.into(),
        opens: true,
        ..SecretInfo::default()
    };
    Script {
        nodes: vec![node("pi5l"), node("pi5r")],
        secrets: vec![secret("pve-token"), secret("mail")],
        operators: vec![operator("bo", 0), operator("gone", NOW)],
        ..Script::default()
    }
}

/// A stage on the coordinator's own machine, with the operator's key.
fn stage(script: Script) -> Stage {
    let stage = Stage::with(TOML, script);
    stage.key(&key());
    stage
}

/// Asserts that nothing was asked, changed or signed.
#[track_caller]
fn nothing_was_done(stage: &Stage, line: &str, asked: &[String]) {
    let script = stage.fake.0.lock().unwrap();
    assert_eq!(asked, [""; 0], "{line}");
    assert!(script.rotated.is_empty() && script.signed.is_empty(), "{line}");
    assert!(script.applied.is_empty() && !script.went, "{line}");
}

#[tokio::test]
async fn an_unknown_name_is_refused_before_any_question() {
    let stage = stage(known());
    for (line, part) in [
        ("node revoke pi5x", "pi5x"),
        ("ca rotate --without pi5l --without nosuch", "nosuch"),
        (
            "secret remove pve-tokn",
            "Did you mean pve-token? Known: pve-token, mail",
        ),
        ("operator revoke b", "no operator b may consent now"),
        ("operator revoke gone", "no operator gone may consent now"),
        ("plan pi5r", "Known: pi5l"),
        ("apply pi5r", "Known: pi5l"),
        ("events seen pi5x", "pi5x"),
        ("events --node pi5x", "pi5x"),
        ("audit list --node pi5x", "pi5x"),
        ("snapshot release pi5l data@none", "pi5l has no snapshot data@none"),
    ] {
        let outcome = stage.types_and_says(line, &["y", "y", "y"]).await;
        assert_eq!(outcome.exit, Exit::Error, "{line}: {}", outcome.err);
        assert!(outcome.err.contains(part), "{line}: {}", outcome.err);
        nothing_was_done(&stage, line, &outcome.asked);
        let told: Value = serde_json::from_str(&stage.types(&format!("{line} --json")).await.out).unwrap();
        assert_eq!(told["error"]["exit"], 1, "{line}");
    }
}

#[tokio::test]
async fn a_revoked_or_released_node_is_not_revoked_again() {
    for state in [NodeState::Revoked, NodeState::Released] {
        let mut node = node("pi5l");
        node.state = state.into();
        let stage = stage(Script {
            nodes: vec![node],
            ..Script::default()
        });
        let outcome = stage.types_and_says("node revoke pi5l", &["y"]).await;
        assert_eq!((outcome.exit, outcome.asked), (Exit::Fine, Vec::new()));
        assert_eq!(
            outcome.out,
            format!("pi5l is {} already: its key is refused.\n", state.word())
        );
    }
}

#[tokio::test]
async fn a_name_given_twice_is_wrong_usage() {
    let stage = stage(known());
    for line in [
        "plan pi5l pi5l",
        "apply pi5l pi5l",
        "apply --skip-reading S1 --skip-reading S1",
        "ca rotate --without pi5l --without pi5l",
        "node add pi5l pi5l",
    ] {
        let outcome = stage.types_and_says(line, &["y", "y"]).await;
        assert_eq!(outcome.exit, Exit::Usage, "{line}: {}", outcome.err);
        assert!(outcome.err.contains("given twice"), "{line}: {}", outcome.err);
        nothing_was_done(&stage, line, &outcome.asked);
    }
}

#[tokio::test]
async fn a_missing_file_is_refused_before_any_question() {
    let stage = stage(known());
    let there = stage.folder.path().join("there.age");
    std::fs::write(&there, "x").unwrap();
    let there = there.display();
    for (line, exit) in [
        ("backup verify nosuch.age".to_owned(), Exit::Error),
        ("backup verify nosuch.age --passphrase".to_owned(), Exit::Error),
        ("backup restore nosuch.age".to_owned(), Exit::Error),
        ("operator add nosuch.pem".to_owned(), Exit::Error),
        ("node add pi5l -K --ssh-config nosuch".to_owned(), Exit::Error),
        ("node add pi5l -K --agent-dir nosuch".to_owned(), Exit::Error),
        (
            "init --recover --from pi5l -K --ssh-config nosuch".to_owned(),
            Exit::Error,
        ),
        (
            "init --recover --from pi5l -K --identity nosuch".to_owned(),
            Exit::Error,
        ),
        ("backup create --passphrase".to_owned(), Exit::Error),
        (
            format!("backup create {there} --passphrase --state {}", made(&stage).display()),
            Exit::Usage,
        ),
        ("init --address nonsense new".to_owned(), Exit::Usage),
        ("secret set Not_A_Name".to_owned(), Exit::Usage),
    ] {
        let outcome = stage.types_and_says(&line, &["twelve characters"; 3]).await;
        assert_eq!(outcome.exit, exit, "{line}: {}", outcome.err);
        nothing_was_done(&stage, &line, &outcome.asked);
    }
}

/// A state folder that looks complete.
fn made(stage: &Stage) -> std::path::PathBuf {
    let state = stage.folder.path().join("made");
    Ca::create(&state.join("ca"), "k8sctl", NOW).unwrap();
    std::fs::write(state.join("heeler.db"), "x").unwrap();
    state
}

#[tokio::test]
async fn a_restore_over_a_coordinator_is_refused_before_the_key() {
    let stage = stage(known());
    let archive = stage.folder.path().join("there.age");
    std::fs::write(&archive, "x").unwrap();
    let state = made(&stage).display().to_string();
    for line in [
        format!("backup restore {} --state {state}", archive.display()),
        format!("init --recover --from pi5l -K --state {state}"),
    ] {
        let outcome = stage.types_and_says(&line, &["secret"; 3]).await;
        assert_eq!(outcome.exit, Exit::Error, "{line}: {}", outcome.err);
        assert!(outcome.err.contains("--replace"), "{line}: {}", outcome.err);
        nothing_was_done(&stage, &line, &outcome.asked);
    }
}

#[tokio::test]
async fn a_stray_confirmation_is_refused_before_any_question() {
    let mut both = plan(Some(creation()));
    let mut other = plan(None).nodes.remove(0);
    other.node = "pi5r".into();
    both.nodes.push(other);
    let toml = format!("{TOML}\n[nodes.pi5r]\naddress = \"10.10.80.51\"\n");
    let played = || Script {
        plan: both.clone(),
        ..script(None)
    };
    let stage = Stage::with(&toml, played());
    stage.key(&key());
    for line in [
        "apply --confirm pi5x",
        "apply --confirm pi5l --confirm pi5x",
        "apply --confirm pi5l --confirm pi5l",
    ] {
        let outcome = stage.types_and_says(line, &["y", "pi5l"]).await;
        assert_eq!(outcome.exit, Exit::Usage, "{line}: {}", outcome.err);
        nothing_was_done(&stage, line, &outcome.asked);
    }
    let keyless = Stage::with(&toml, played());
    let outcome = keyless.types_and_says("apply", &["y", "pi5l"]).await;
    assert_eq!(outcome.exit, Exit::Error);
    assert!(outcome.err.contains("no operator's key"), "{}", outcome.err);
    nothing_was_done(&keyless, "apply", &outcome.asked);
}

#[tokio::test]
async fn a_rotation_names_excluded_nodes_before_it_asks() {
    let stage = stage(known());
    let ca = Ca::create(&stage.state().join("ca"), "k8sctl", NOW).unwrap();
    let authority = |stage: AuthorityStage| AuthorityInfo {
        stage: stage.into(),
        certificate: ca.certificate().to_vec(),
        ..AuthorityInfo::default()
    };
    let waiting = |name: &str| NodeReason {
        node: name.into(),
        reason: "it does not have the new authority yet".into(),
    };
    stage.fake.0.lock().unwrap().authorities = ShowAuthoritiesReply {
        authorities: vec![authority(AuthorityStage::Current), authority(AuthorityStage::Next)],
        waiting: vec![waiting("pi5l"), waiting("pi5r")],
        cluster: "k8sctl".into(),
    };
    let outcome = stage.types_and_says("ca rotate --without pi5l", &["y"]).await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    assert!(outcome.err.contains("the rotation waits for pi5r"), "{}", outcome.err);
    let said = outcome.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("--without pi5l --without pi5r"), "{said}");
    nothing_was_done(&stage, "ca rotate", &outcome.asked);
    let line = "ca rotate --without pi5l --without pi5r";
    assert_eq!(stage.types_and_says(line, &["y"]).await.exit, Exit::Fine);
}

#[tokio::test]
async fn a_port_in_ssh_is_refused() {
    let stage = stage(known());
    for line in [
        "node add pi5l --ssh pi@192.0.2.1:22",
        "init --recover --from pi5l --ssh pi@192.0.2.1:22",
    ] {
        let refused = stage.types(line).await;
        assert_eq!(refused.exit, Exit::Usage, "{line}: {}", refused.err);
        assert!(
            refused.err.contains("takes no port") && refused.err.contains("Port 22"),
            "{}",
            refused.err
        );
    }
}

#[tokio::test]
async fn a_binary_file_is_said_to_be_no_recovery_key() {
    let stage = stage(known());
    let backup = stage.folder.path().join("b.age");
    std::fs::write(&backup, [0xff, 0xfe, 0x00]).unwrap();
    let line = format!("backup verify {0} --identity {0}", backup.display());
    let refused = stage.types(&line).await;
    assert_eq!(refused.exit, Exit::Error);
    assert!(refused.err.contains("this is not a recovery key"), "{}", refused.err);
}

#[tokio::test]
async fn a_number_out_of_range_is_refused_with_the_range() {
    let stage = stage(known());
    for (line, range) in [
        ("events -n 0", "write a number from 1 to 1000000"),
        ("task list -n 0", "write a number from 1 to 1000"),
        ("task list -n 5000", "write a number from 1 to 1000"),
        ("task list -n x", "write a number from 1 to 1000"),
        ("audit list -n 0", "write a number from 1 to 1000000"),
        ("--width 4 task list", "write a number from 40 to 65535"),
    ] {
        let refused = stage.types(line).await;
        assert_eq!(refused.exit, Exit::Usage, "{line}");
        let said = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(range), "{line}: {said}");
    }
}

#[tokio::test]
async fn apply_refuses_unknown_names_when_nothing_changes() {
    let toml = "[cluster]\nname = \"k8sctl\"\n[coordinator]\naddresses = [\"10.10.80.9\"]\n[network]\nsubnet = \
                \"10.10.80.0/24\"\n[nodes.pi5l]\naddress = \"10.10.80.50\"\ndisks = [\"S6X1\", \"S6X2\"]\n";
    for (line, meant) in [
        ("apply --confirm pi5", "Did you mean pi5l?"),
        ("apply --confirm nothing", "Known: "),
        ("apply --skip-reading S6X3", "Did you mean S6X1?"),
    ] {
        let stage = Stage::with(toml, Script::default());
        let refused = stage.types(line).await;
        assert_eq!(refused.exit, Exit::Usage, "{line}: {}", refused.err);
        assert!(refused.err.contains(meant), "{line}: {}", refused.err);
        assert_eq!(refused.out, "", "{line}");
    }
}

#[tokio::test]
async fn a_missing_subcommand_is_named_in_json() {
    let outcome = Stage::empty().types("--json revision").await;
    assert_eq!(outcome.exit, Exit::Usage);
    let document: Value = serde_json::from_str(&outcome.out).unwrap();
    let error = &document["error"];
    assert_eq!(error["message"], "a subcommand or an argument is missing", "{document}");
    assert!(error["next"].as_str().unwrap().contains("show"), "{document}");
}

#[tokio::test]
async fn a_wrong_address_or_file_is_said_in_plain_words() {
    let stage = stage(known());
    for line in [
        "--coordinator foo status",
        "--coordinator foo: node list",
        "--coordinator :7445 status",
    ] {
        let refused = stage.types(line).await;
        assert_eq!(refused.exit, Exit::Usage, "{line}: {}", refused.err);
        assert!(refused.err.contains("write HOST:PORT"), "{line}: {}", refused.err);
    }
    let refused = stage.types("operator add nofile").await;
    assert!(refused.err.contains("there is no file nofile"), "{}", refused.err);
    assert!(refused.err.contains("heeler operator request >"), "{}", refused.err);
    assert!(!refused.err.contains("os error"), "{}", refused.err);
}
