use heeler_proto::v1::event::Kind;
use heeler_proto::v1::*;
use heeler_proto::{Consent, Irreversible, NodeName, TaskId};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::fake::{NOW, Script, Stage};
use crate::cli::Exit;

pub(super) const TOML: &str = "[cluster]\nname = \"k8sctl\"\n\n[coordinator]\naddresses = [\"10.10.80.9\"]\n\n\
    [nodes.pi5l]\naddress = \"10.10.80.50\"\ndisks = [\"S1\", \"S2\"]\n";
pub(super) const TASK: &str = "0123456789abcdef0123456789abcdef";

pub(super) fn creation() -> v1_act::Act {
    let disk = |serial: &str| DiskIdentity {
        serial: serial.into(),
        size_bytes: 128_000_000_000,
    };
    v1_act::Act::CreatePool(CreatePool {
        unread: vec![],
        pool: "data".into(),
        disks: vec![disk("S1"), disk("S2")],
        properties: vec![Property {
            name: "ashift".into(),
            value: "12".into(),
        }],
    })
}

pub(super) use heeler_proto::v1::irreversible as v1_act;

pub(super) fn erasure() -> v1_act::Act {
    v1_act::Act::EraseContents(EraseContents {
        disk: Some(DiskIdentity {
            serial: "S2".into(),
            size_bytes: 128_000_000_000,
        }),
        finding: "ext4".into(),
    })
}

pub(super) fn plan(act: Option<v1_act::Act>) -> PlanReply {
    let op = OpPreview {
        kind: if act.is_some() {
            OpKind::Irreversible
        } else {
            OpKind::Run
        }
        .into(),
        summary: "do it".into(),
        irreversible: act.map(|act| heeler_proto::v1::Irreversible { act: Some(act) }),
        ..OpPreview::default()
    };
    let step = StepReport {
        step: "PoolExists".into(),
        outcome: StepOutcome::Change.into(),
        ops: vec![op],
        ..StepReport::default()
    };
    let node = NodePlan {
        node: "pi5l".into(),
        tasks: vec![TaskPlan {
            task_id: TASK.into(),
            kind: "ensure pool".into(),
        }],
        steps: vec![step],
        enrolled: true,
        ..NodePlan::default()
    };
    PlanReply {
        plan_id: "p1".into(),
        nodes: vec![node],
        now_ms: NOW,
        ..PlanReply::default()
    }
}

pub(super) fn event(id: u64, kind: Kind) -> FleetEvent {
    FleetEvent {
        id,
        at_ms: NOW,
        node: "pi5l".into(),
        task_id: TASK.into(),
        event: Some(Event {
            seq: id,
            kind: Some(kind),
            ..Event::default()
        }),
        ..FleetEvent::default()
    }
}

pub(super) fn ended(id: u64, outcome: TaskOutcome) -> FleetEvent {
    event(
        id,
        Kind::TaskFinished(TaskFinished {
            outcome: outcome.into(),
            changes: 1,
            ..TaskFinished::default()
        }),
    )
}

pub(super) fn did(id: u64, what: &str) -> FleetEvent {
    let op = OpFinished {
        summary: what.into(),
        ok: true,
        ..OpFinished::default()
    };
    event(id, Kind::OpFinished(op))
}

pub(super) fn script(act: Option<v1_act::Act>) -> Script {
    Script {
        plan: plan(act),
        apply: ApplyReply {
            audit: None,
            revision: 1,
            task_ids: vec![TASK.into()],
            after_event: 5,
        },
        streams: [vec![did(6, "first"), ended(7, TaskOutcome::Done)]].into(),
        ..Script::default()
    }
}

pub(super) fn key() -> String {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .unwrap()
        .serialize_pem()
}

#[tokio::test]
async fn a_reversible_change_needs_y_or_yes() {
    for (line, answers, agreed) in [
        ("apply", &["y"][..], true),
        ("apply", &["n"], false),
        ("apply", &[""], false),
        ("apply --yes", &[], true),
    ] {
        let stage = Stage::with(TOML, script(None));
        let outcome = stage.types_and_says(line, answers).await;
        assert_eq!(
            outcome.exit,
            if agreed { Exit::Fine } else { Exit::Refused },
            "{line} {answers:?} {}",
            outcome.err
        );
        assert_eq!(stage.fake.0.lock().unwrap().applied.len(), usize::from(agreed));
    }
}

#[tokio::test]
async fn apply_asks_before_it_stops_managing_a_pool() {
    let mut script = script(None);
    script.plan.nodes[0].steps.clear();
    script.plan.nodes[0].unmanaged = Some(Unmanaged {
        pool: "data".into(),
        ..Unmanaged::default()
    });
    let stage = Stage::with(TOML, script);
    let outcome = stage.types_and_says("apply", &["n"]).await;
    assert_eq!(outcome.exit, Exit::Refused, "{}", outcome.err);
    assert!(outcome.out.contains("NO LONGER MANAGED"), "{}", outcome.out);
    assert!(
        outcome.asked[0].starts_with("No longer managed: pool data of pi5l."),
        "{:?}",
        outcome.asked
    );
    assert!(stage.fake.0.lock().unwrap().applied.is_empty());
}

#[tokio::test]
async fn yes_never_confirms_the_irreversible() {
    for (act, line, answers, exit) in [
        (creation(), "apply", &["pi5l"][..], Exit::Fine),
        (creation(), "apply --confirm pi5l", &[], Exit::Fine),
        (creation(), "apply --yes", &["y"], Exit::Refused),
        (creation(), "apply", &["pi5r"], Exit::Refused),
        (creation(), "apply --confirm S2", &["pi5l"], Exit::Usage),
        (erasure(), "apply", &["S2"], Exit::Fine),
        (erasure(), "apply", &["pi5l"], Exit::Refused),
        (erasure(), "apply --confirm S2", &[], Exit::Fine),
    ] {
        let stage = Stage::with(TOML, script(Some(act)));
        stage.key(&key());
        let outcome = stage.types_and_says(line, answers).await;
        assert_eq!(outcome.exit, exit, "{line} {answers:?} {}", outcome.err);
        assert_eq!(stage.fake.0.lock().unwrap().applied.is_empty(), exit != Exit::Fine);
    }
}

/// The same, with this disk not read first.
fn unread(serial: &str) -> v1_act::Act {
    match creation() {
        v1_act::Act::CreatePool(create) => v1_act::Act::CreatePool(CreatePool {
            unread: vec![serial.into()],
            ..create
        }),
        other => other,
    }
}

#[tokio::test]
async fn skipping_the_reading_needs_each_serial_typed() {
    for (act, line, answers, exit) in [
        (unread("S1"), "apply --skip-reading S1", &["S1", "pi5l"][..], Exit::Fine),
        (
            unread("S1"),
            "apply --skip-reading S1 --confirm pi5l",
            &["S1"],
            Exit::Fine,
        ),
        (
            unread("S1"),
            "apply --yes --skip-reading S1 --confirm pi5l",
            &["y"],
            Exit::Refused,
        ),
        (unread("S1"), "apply --skip-reading S1", &["pi5l"], Exit::Refused),
        (creation(), "apply --skip-reading S9", &["S9", "pi5l"], Exit::Usage),
    ] {
        let stage = Stage::with(TOML, script(Some(act)));
        stage.key(&key());
        let outcome = stage.types_and_says(line, answers).await;
        assert_eq!(outcome.exit, exit, "{line} {answers:?} {}", outcome.err);
        assert_eq!(stage.fake.0.lock().unwrap().applied.is_empty(), exit != Exit::Fine);
    }
}

#[tokio::test]
async fn confirm_for_a_blocked_node_is_not_used() {
    for (line, exit) in [
        ("apply --yes --confirm pi5l", Exit::Person),
        ("apply --yes --confirm S2", Exit::Usage),
    ] {
        let mut script = script(None);
        script.plan.nodes[0].steps[0].outcome = StepOutcome::Blocked.into();
        script.apply.task_ids.clear();
        let stage = Stage::with(TOML, script);
        let outcome = stage.types(line).await;
        assert_eq!(outcome.exit, exit, "{line} {}{}", outcome.out, outcome.err);
        let told = &stage.fake.0.lock().unwrap().applied;
        assert!(
            told.iter()
                .all(|apply| apply.nodes.is_empty() && apply.consents.is_empty())
        );
    }
}

#[tokio::test]
async fn without_a_terminal_the_confirm_option_is_shown() {
    let stage = Stage::with(TOML, script(Some(creation())));
    let outcome = stage.types("apply --yes").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(
        outcome.err.contains("To consent: heeler apply --yes --confirm pi5l"),
        "{}",
        outcome.err
    );
    let stage = Stage::with(TOML, script(None));
    let outcome = stage.types("apply").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.err.contains("To agree: heeler apply --yes"), "{}", outcome.err);
    assert!(
        outcome.err.contains("Change pi5l?"),
        "the question is shown: {}",
        outcome.err
    );
}

#[tokio::test]
async fn an_empty_heeler_toml_is_accepted_after_one_question() {
    let empty = Script {
        plan: PlanReply::default(),
        ..script(None)
    };
    let outcome = Stage::with(TOML, empty).types("apply").await;
    assert_eq!(outcome.exit, Exit::Refused);
    let asked = outcome.err.split_whitespace().collect::<Vec<_>>().join(" ");
    let question = "Accept this heeler.toml? It changes no node now. To agree: heeler apply --yes";
    assert!(asked.contains(question), "{asked}");
    assert!(!outcome.out.contains("Next:"), "{}", outcome.out);
}

#[tokio::test]
async fn a_consent_is_signed_here_over_exactly_what_was_shown() {
    let stage = Stage::with(TOML, script(Some(creation())));
    let pem = key();
    stage.key(&pem);
    assert_eq!(stage.types_and_says("apply", &["pi5l"]).await.exit, Exit::Fine);
    let request = stage.fake.0.lock().unwrap().applied.remove(0);
    assert_eq!(request.plan_id, "p1");
    let consent = Consent::try_from(request.consents[0].clone()).unwrap();
    let shown = Irreversible::try_from(heeler_proto::v1::Irreversible { act: Some(creation()) }).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let random = ring::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.secret_pkcs8_der(), &random).unwrap();
    let (task, node) = (TaskId::new(TASK).unwrap(), NodeName::new("pi5l").unwrap());
    consent
        .permits((&task, &node), &shown.digest(), NOW, pair.public_key().as_ref())
        .unwrap();
}

#[tokio::test]
async fn an_accepted_revision_becomes_the_parent() {
    let stage = Stage::with(TOML, script(None));
    stage.types("apply --yes").await;
    let lock = std::fs::read_to_string(stage.config().join("heeler.lock")).unwrap();
    assert!(lock.contains("revision = 1\n"), "{lock}");
    stage.types("plan").await;
    let parents: Vec<u64> = stage
        .fake
        .0
        .lock()
        .unwrap()
        .planned
        .iter()
        .map(|request| request.parent)
        .collect();
    assert_eq!(parents, [0, 1]);
}

#[tokio::test]
async fn an_old_checkout_needs_the_overwrite_option() {
    let old = || Script {
        plan: PlanReply {
            behind: true,
            accepted_revision: 9,
            ..plan(None)
        },
        ..script(None)
    };
    let stage = Stage::with(TOML, old());
    let outcome = stage.types("apply --yes").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.err.contains("heeler config pull"), "{}", outcome.err);
    assert!(stage.fake.0.lock().unwrap().applied.is_empty());
    let stage = Stage::with(TOML, old());
    assert_eq!(stage.types("apply --yes --overwrite").await.exit, Exit::Fine);
    assert!(stage.fake.0.lock().unwrap().applied[0].overwrite);
}

#[tokio::test]
async fn a_text_that_blocks_is_not_accepted_unasked() {
    let blocked = |config_changed: bool| {
        let mut script = script(None);
        script.plan.nodes[0].config_changed = config_changed;
        script.plan.nodes[0].steps[0].outcome = StepOutcome::Blocked.into();
        script
    };
    let applied = |stage: &Stage| stage.fake.0.lock().unwrap().applied.len();
    let stage = Stage::with(TOML, blocked(true));
    let refused = stage.types("apply --yes").await;
    assert_eq!((refused.exit, applied(&stage)), (Exit::Person, 0), "{}", refused.err);
    assert!(
        refused.err.contains("not accepted") && refused.err.contains("heeler apply NODE"),
        "{}",
        refused.err
    );
    // A node that was blocked before and gets nothing new does not make the text faulty.
    let stage = Stage::with(TOML, blocked(false));
    stage.types("apply --yes").await;
    assert_eq!(applied(&stage), 1);
}

#[tokio::test]
async fn a_converged_fleet_asks_nothing() {
    let stage = Stage::with(TOML, script(None));
    stage.types("apply --yes").await;
    {
        let mut script = stage.fake.0.lock().unwrap();
        script.plan.accepted_revision = 1;
        script.plan.nodes[0].steps[0].outcome = StepOutcome::Satisfied.into();
    }
    let again = stage.types("apply").await;
    assert_eq!(
        (again.exit, again.out.ends_with("Nothing to change.\n")),
        (Exit::Fine, true),
        "{}",
        again.out
    );
    assert_eq!(stage.fake.0.lock().unwrap().applied.len(), 1);
}

#[tokio::test]
async fn an_erasure_needs_its_serial() {
    let stage = Stage::with(
        "",
        Script {
            apply: ApplyReply {
                revision: 0,
                ..script(None).apply
            },
            ..script(Some(erasure()))
        },
    );
    stage.key(&key());
    let outcome = stage.types("disk erase S2").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(
        outcome.err.contains("heeler disk erase S2 --confirm S2"),
        "{}",
        outcome.err
    );
    let outcome = stage.types_and_says("disk erase S2", &["S2"]).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    assert!(outcome.asked[0].contains("Type S2 to erase"), "{:?}", outcome.asked);
    assert!(
        outcome.out.contains("everything on it is lost") && outcome.out.contains("done"),
        "{}",
        outcome.out
    );
}

#[tokio::test]
async fn only_a_logins_own_key_signs_for_it() {
    let pem = key();
    let public_key = rcgen::KeyPair::from_pem(&pem).unwrap().public_key_pem();
    let public_key = crate::pki::public_point(&public_key).unwrap();
    let operator = |name: &str, revoked_at_ms| OperatorInfo {
        name: name.into(),
        public_key: public_key.clone(),
        revoked_at_ms,
        ..OperatorInfo::default()
    };
    for (operators, part) in [
        (vec![operator("me", 1), operator("bo", 0)], Some("me is revoked")),
        (vec![operator("me", 0), operator("bo", 0)], Some("USER=bo")),
        (vec![operator("bo", 0)], None),
    ] {
        let played = Script {
            operators,
            ..script(Some(erasure()))
        };
        let stage = Stage::with("", played);
        stage.key(&pem);
        let folder = stage.state().join("operators");
        std::fs::rename(folder.join("me"), folder.join("bo")).unwrap();
        let outcome = stage.types("disk erase S2 --confirm S2").await;
        let applied = stage.fake.0.lock().unwrap().applied.len();
        match part {
            Some(part) => assert!(outcome.err.contains(part) && applied == 0, "{}", outcome.err),
            None => assert_eq!(applied, 1, "{}", outcome.err),
        }
    }
}

#[tokio::test]
async fn a_closed_pipe_is_silent_only_for_reading_commands() {
    let stage = Stage::with("", Script::default());
    let read = stage.types_unread("status").await;
    assert_eq!((read.exit, read.err.as_str()), (Exit::Stopped, ""));
    let done = stage.types_unread("node resume pi5l").await;
    assert_eq!(done.exit, Exit::Error);
    assert!(done.err.contains("stdout"), "{}", done.err);
}
