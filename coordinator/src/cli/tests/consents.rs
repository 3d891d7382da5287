//! The command line signs only what it showed, whatever the coordinator sends.

use heeler_proto::v1::*;

use super::apply::{TOML, creation, erasure, key, plan, script, v1_act};
use super::fake::{Script, Stage};
use crate::cli::Exit;

#[tokio::test]
async fn a_consent_next_to_a_network_change_is_shown() {
    let mut hidden = plan(Some(creation()));
    let guard = OpPreview {
        kind: OpKind::Network.into(),
        summary: "backplane none -> 10.10.99.50/24".into(),
        ..OpPreview::default()
    };
    let ops = &mut hidden.nodes[0].steps[0].ops;
    ops[0].summary = "write /etc/systemd/network/10-enbp0.link".into();
    ops[0].meaning = "pin the backplane to 00:e0:4c:68:00:01".into();
    ops.push(guard);
    let stage = Stage::with(
        TOML,
        Script {
            plan: hidden,
            ..Script::default()
        },
    );
    let outcome = stage.types("plan").await;
    assert!(outcome.out.contains("create mirror \"data\""), "{}", outcome.out);
    assert!(outcome.out.contains("1 IRREVERSIBLE"), "{}", outcome.out);
}

#[tokio::test]
async fn disk_erase_signs_for_the_erasure_of_that_disk_alone() {
    let import = v1_act::Act::ImportPool(ImportPool {
        guid: "7".into(),
        present: vec![DiskIdentity {
            serial: "S2".into(),
            size_bytes: 128_000_000_000,
        }],
        txgs: vec![1],
        missing: vec!["S1".into()],
    });
    let stage = Stage::with("", script(Some(import)));
    stage.key(&key());
    let outcome = stage.types("disk erase S2 --confirm S2").await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    assert_eq!(stage.fake.0.lock().unwrap().applied.len(), 0);
}

#[tokio::test]
async fn a_consent_that_may_expire_during_reading_says_so() {
    let lower = || v1_act::Act::LowerKeep(LowerKeep::default());
    for (creates, answers, warned) in [
        (creation(), &["pi5l", "no"][..], true),
        (unread(), &["S1", "S2", "pi5l", "no"], false),
    ] {
        let mut both = plan(Some(creates));
        let mut second = plan(Some(lower())).nodes.remove(0);
        second.steps[0].task = 1;
        second.tasks[0].task_id = "f".repeat(32);
        both.nodes[0].steps.append(&mut second.steps);
        both.nodes[0].tasks.append(&mut second.tasks);
        let played = Script {
            plan: both,
            ..script(Some(creation()))
        };
        let stage = Stage::with(TOML, played);
        stage.key(&key());
        let outcome = stage.types_and_says("apply", answers).await;
        let last = outcome.asked.last().unwrap();
        assert!(last.contains("snapshots there"), "{last}");
        assert_eq!(last.contains("this consent expires"), warned, "{last}");
        assert!(!outcome.asked[0].contains("expires"), "{:?}", outcome.asked);
    }
}

fn unread() -> v1_act::Act {
    let v1_act::Act::CreatePool(mut create) = creation() else {
        unreachable!()
    };
    create.unread = vec!["S1".into(), "S2".into()];
    v1_act::Act::CreatePool(create)
}

#[tokio::test]
async fn one_word_consents_to_one_act() {
    let mut twice = plan(Some(creation()));
    let again = twice.nodes[0].steps[0].ops[0].clone();
    twice.nodes[0].steps[0].ops.push(again);
    let played = |plan| Script {
        plan,
        ..script(Some(creation()))
    };
    let stage = Stage::with(TOML, played(twice));
    stage.key(&key());
    let outcome = stage.types("apply --confirm pi5l").await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    // If a disk's serial is a node's name, typing the node's name must not erase the disk.
    let mut masked = plan(Some(erasure()));
    if let Some(v1_act::Act::EraseContents(erase)) = masked.nodes[0].steps[0].ops[0]
        .irreversible
        .as_mut()
        .and_then(|act| act.act.as_mut())
    {
        erase.disk.as_mut().unwrap().serial = "pi4".into();
    }
    let other = NodePlan {
        node: "pi4".into(),
        enrolled: true,
        ..NodePlan::default()
    };
    masked.nodes.push(NodePlan {
        steps: plan(Some(creation())).nodes.remove(0).steps,
        tasks: masked.nodes[0].tasks.clone(),
        ..other
    });
    let stage = Stage::with(TOML, played(masked));
    stage.key(&key());
    let outcome = stage.types("apply --confirm pi4 --confirm pi4").await;
    assert!(outcome.err.contains("more than one change"), "{}", outcome.err);
    assert_eq!(stage.fake.0.lock().unwrap().applied.len(), 0);
}
