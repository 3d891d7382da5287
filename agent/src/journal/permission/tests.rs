use heeler_proto::{CreatePool, DiskIdentity, EraseContents, EraseDisk, Generation, PoolName, Serial, Task, TaskId};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::*;
use crate::journal::{Entry, Used};

const NOW: u64 = 1_700_000_000_000;
const HOUR_MS: u64 = 60 * 60 * 1000;

struct Scene {
    key: EcdsaKeyPair,
    operators: Vec<Operator>,
    node: NodeName,
    task: TaskId,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let der = Consent::new_key(&random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap()
}

fn act(serial: &str, size_bytes: u64) -> Irreversible {
    Irreversible::EraseContents(EraseContents {
        disk: DiskIdentity {
            serial: Serial::new(serial).unwrap(),
            size_bytes,
        },
        finding: "ext4 file system".into(),
    })
}

impl Scene {
    fn new() -> Self {
        let key = key();
        let operators = vec![Operator {
            name: "me".into(),
            public_key: key.public_key().as_ref().to_vec(),
        }];
        Self {
            key,
            operators,
            node: NodeName::new("a").unwrap(),
            task: TaskId::from_random(1),
        }
    }

    fn sign(&self, operator: &str, task: u128, node: &str, act: &Irreversible) -> Consent {
        let node = NodeName::new(node).unwrap();
        let to = (&TaskId::from_random(task), &node);
        Consent::sign(&self.key, operator, to, act.digest(), NOW, &SystemRandom::new()).unwrap()
    }

    fn given(&self, consents: Vec<Consent>) -> Assignment {
        Assignment {
            task_id: self.task.clone(),
            generation: Generation { epoch: 1, counter: 1 },
            task: Task::EraseDisk(EraseDisk {
                serial: Serial::new("A").unwrap(),
                live: vec![],
            }),
            consents,
            revision: 1,
        }
    }

    fn refusal(&self, state: &State, consents: Vec<Consent>, now_ms: u64) -> String {
        let given = self.given(consents);
        let asked = permission(state, &given, &act("A", 1), (&self.node, &self.operators), now_ms);
        asked.unwrap_err().reason
    }
}

fn used(consent: &Consent, task: u128) -> Entry {
    Entry::Used(Used {
        consent: consent.id.clone(),
        task: TaskId::from_random(task),
        act: consent.act,
        expires_at_ms: consent.expires_at_ms,
        spent: false,
    })
}

fn intent(act: &Irreversible) -> heeler_tasks::engine::Intent {
    heeler_tasks::engine::Intent {
        step: "DiskBlank".into(),
        op: 0,
        summary: String::new(),
        act: Some(act.clone()),
        reboot: false,
        boot_id: None,
        job: None,
    }
}

#[test]
fn a_good_consent_permits_its_act() {
    let scene = Scene::new();
    let consent = scene.sign("me", 1, "a", &act("A", 1));
    let given = scene.given(vec![scene.sign("me", 1, "a", &act("B", 1)), consent.clone()]);
    let asked = permission(
        &State::default(),
        &given,
        &act("A", 1),
        (&scene.node, &scene.operators),
        NOW,
    );
    assert_eq!(asked, Ok(Permission::By(&consent)));
}

#[test]
fn every_bad_consent_is_refused_with_its_reason() {
    let scene = Scene::new();
    let right = act("A", 1);
    let untrusted = Scene {
        key: key(),
        ..Scene::new()
    };
    let forged = Consent {
        expires_at_ms: NOW + 2 * HOUR_MS,
        ..scene.sign("me", 1, "a", &right)
    };
    let good = scene.sign("me", 1, "a", &right);
    let cases = [
        ("no consent came", vec![], NOW),
        ("has expired", vec![good.clone()], NOW + HOUR_MS),
        ("clock is behind", vec![good.clone()], NOW - 2 * HOUR_MS),
        ("another node", vec![scene.sign("me", 1, "b", &right)], NOW),
        ("another task", vec![scene.sign("me", 2, "a", &right)], NOW),
        // The disk was replaced by one of another size or serial.
        ("machine has changed", vec![scene.sign("me", 1, "a", &act("A", 2))], NOW),
        ("machine has changed", vec![scene.sign("me", 1, "a", &act("B", 1))], NOW),
        ("does not know", vec![scene.sign("you", 1, "a", &right)], NOW),
        ("not signed", vec![untrusted.sign("me", 1, "a", &right)], NOW),
        ("not signed", vec![forged], NOW),
    ];
    for (wanted, consents, now_ms) in cases {
        let reason = scene.refusal(&State::default(), consents, now_ms);
        assert!(reason.contains(wanted), "{wanted}: {reason}");
    }
}

#[test]
fn a_consent_that_another_task_used_up_is_refused() {
    let scene = Scene::new();
    let consent = scene.sign("me", 1, "a", &act("A", 1));
    let mut state = State::default();
    state.apply(used(&consent, 2));
    assert!(scene.refusal(&state, vec![consent], NOW).contains("used before"));
}

#[test]
fn an_interrupted_act_may_continue_until_its_consent_expires() {
    let scene = Scene::new();
    let right = act("A", 1);
    let consent = scene.sign("me", 1, "a", &right);
    let mut state = State::default();
    state.apply(used(&consent, 1));
    state.apply(Entry::Begun {
        task: scene.task.clone(),
        intent: intent(&right),
    });
    let given = scene.given(vec![consent]);
    let ask = |now_ms| permission(&state, &given, &right, (&scene.node, &scene.operators), now_ms);
    assert_eq!(ask(NOW + HOUR_MS - 1), Ok(Permission::Again));
    // Something may have been written to the disk since.
    let refused = ask(NOW + HOUR_MS).unwrap_err();
    assert!(refused.reason.contains("has expired"), "{}", refused.reason);
}

#[test]
fn a_long_reading_does_not_expire_the_consent() {
    let scene = Scene::new();
    for (unread, permitted) in [(vec![], true), (vec![Serial::new("A").unwrap()], false)] {
        let create = Irreversible::CreatePool(CreatePool {
            pool: PoolName::new("data").unwrap(),
            disks: vec![],
            properties: vec![],
            unread,
        });
        let consent = scene.sign("me", 1, "a", &create);
        let mut state = State::default();
        state.apply(used(&consent, 1));
        let given = scene.given(vec![consent]);
        let ask =
            |state: &State, now_ms| permission(state, &given, &create, (&scene.node, &scene.operators), now_ms).is_ok();
        assert_eq!(ask(&state, NOW + 2 * HOUR_MS), permitted);
        assert!(!ask(&state, NOW + 25 * HOUR_MS));
        assert!(!ask(&State::default(), NOW + HOUR_MS), "it must begin within the hour");
    }
}

#[test]
fn an_unused_permission_holds_until_it_expires() {
    let scene = Scene::new();
    let consent = scene.sign("me", 1, "a", &act("A", 1));
    let mut state = State::default();
    state.apply(used(&consent, 1));
    let given = scene.given(vec![consent.clone()]);
    let ask = |now_ms| permission(&state, &given, &act("A", 1), (&scene.node, &scene.operators), now_ms);
    assert_eq!(ask(NOW), Ok(Permission::Again));
    assert!(ask(NOW + HOUR_MS).is_err());
}

#[test]
fn a_finished_act_needs_a_new_consent() {
    let scene = Scene::new();
    let right = act("A", 1);
    let consent = scene.sign("me", 1, "a", &right);
    for error in [None, Some("I/O error".to_owned())] {
        let mut state = State::default();
        state.apply(used(&consent, 1));
        state.apply(Entry::Begun {
            task: scene.task.clone(),
            intent: intent(&right),
        });
        state.apply(Entry::Ended {
            task: scene.task.clone(),
            intent: intent(&right),
            error,
        });
        assert!(
            scene
                .refusal(&state, vec![consent.clone()], NOW)
                .contains("used before")
        );
    }
}

#[test]
fn a_task_cannot_continue_another_tasks_act() {
    let scene = Scene::new();
    let right = act("A", 1);
    let mut state = State::default();
    state.apply(Entry::Begun {
        task: TaskId::from_random(2),
        intent: intent(&right),
    });
    assert!(scene.refusal(&state, vec![], NOW).contains("no consent came"));
}

#[test]
fn a_consent_no_later_than_a_forgotten_one_is_refused() {
    let scene = Scene::new();
    let consent = scene.sign("me", 1, "a", &act("A", 1));
    let mut state = State {
        forgotten_ms: consent.expires_at_ms,
        ..State::default()
    };
    let refusal = scene.refusal(&state, vec![consent.clone()], NOW);
    assert!(refusal.contains("may have been used before"), "{refusal}");
    state.forgotten_ms -= 1;
    let given = scene.given(vec![consent.clone()]);
    let asked = permission(&state, &given, &act("A", 1), (&scene.node, &scene.operators), NOW);
    assert_eq!(asked, Ok(Permission::By(&consent)));
}
