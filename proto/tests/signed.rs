//! The bytes that operators sign: recorded, and never the same for two values.

#![expect(clippy::unwrap_used, reason = "a test may panic, also outside of its own function")]

use heeler_proto::{
    Consent, ConsentError, CreatePool, DiskIdentity, EraseContents, ImportPool, Irreversible, KeepChange, LowerKeep,
    NodeName, OperatorName, PoolGuid, PoolName, ReleaseHold, Serial, Statement, TaskId, TrustChange, hex,
};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

fn serial(text: &str) -> Serial {
    Serial::new(text).unwrap()
}

fn disk(name: &str, size_bytes: u64) -> DiskIdentity {
    let serial = serial(name);
    DiskIdentity { serial, size_bytes }
}

fn consent() -> Consent {
    Consent {
        id: "0123456789abcdef0123456789abcdef".into(),
        task: TaskId::from_random(7),
        node: NodeName::new("pi5l").unwrap(),
        act: [0xaa; 32],
        expires_at_ms: 1_790_000_000_000,
        operator: "ann \"é\"\n".into(),
        signature: vec![],
    }
}

fn acts() -> Vec<(&'static str, Irreversible)> {
    let create = CreatePool {
        pool: PoolName::new("data").unwrap(),
        disks: vec![disk("S2", 128), disk("S1", 256)],
        properties: vec![("compression".into(), "lz4".into()), ("ashift".into(), "12".into())],
        unread: vec![serial("S2")],
    };
    let erase = EraseContents {
        disk: disk("S1", 256),
        finding: "ext4 \"backup\"".into(),
    };
    let import = ImportPool {
        guid: PoolGuid(u64::MAX),
        present: vec![(disk("S1", 256), 42)],
        missing: vec![serial("S2")],
    };
    let lower = LowerKeep {
        changes: vec![KeepChange {
            dataset: "data/a".into(),
            before: "24 hourly".into(),
            after: "6 hourly".into(),
        }],
        victims: vec![("data/a@x".into(), 9)],
    };
    vec![
        ("create-pool", Irreversible::CreatePool(create)),
        ("erase-contents", Irreversible::EraseContents(erase)),
        ("import-pool", Irreversible::ImportPool(import)),
        ("lower-keep", Irreversible::LowerKeep(lower)),
    ]
}

fn statement(change: TrustChange) -> Statement {
    Statement {
        cluster: "home".into(),
        at_ms: 7,
        operator: OperatorName::new("ann").unwrap(),
        change,
        signature: vec![],
    }
}

fn statements() -> Vec<(&'static str, Statement)> {
    let name = OperatorName::new("bo").unwrap();
    let public_key = vec![4; 3];
    let revoke = (name.clone(), public_key.clone());
    vec![
        ("add-operator", TrustChange::AddOperator { name, public_key }),
        (
            "revoke-operator",
            TrustChange::RevokeOperator {
                name: revoke.0,
                public_key: revoke.1,
            },
        ),
        (
            "add-authority",
            TrustChange::AddAuthority {
                certificate: vec![0x30, 0],
            },
        ),
        ("drop-authority", TrustChange::DropAuthority { sha256: [0xbb; 32] }),
    ]
    .into_iter()
    .map(|(name, change)| (name, statement(change)))
    .collect()
}

fn hold(snapshot: &str, tag: &str) -> ReleaseHold {
    ReleaseHold {
        snapshot: snapshot.into(),
        tag: tag.into(),
    }
}

#[test]
fn signed_bytes_are_as_recorded() {
    let mut now = vec![("consent", hex(consent().canonical().as_bytes()))];
    now.extend(
        acts()
            .iter()
            .map(|(name, act)| (*name, hex(act.canonical().as_bytes()))),
    );
    now.push(("release-hold-sha256", hex(&hold("data/a@x", "keep").digest())));
    now.extend(
        statements()
            .iter()
            .map(|(name, one)| (*name, hex(one.canonical().as_bytes()))),
    );
    let now: String = now.iter().map(|(name, bytes)| format!("{name} {bytes}\n")).collect();
    assert_eq!(now, include_str!("signed.txt"), "a changed encoding needs a new label");
}

#[test]
fn the_order_of_disks_and_properties_changes_no_digest() {
    let Irreversible::CreatePool(create) = acts()[0].1.clone() else {
        panic!("the first act creates a pool");
    };
    let mut turned = create.clone();
    turned.disks.reverse();
    turned.properties.reverse();
    assert_eq!(
        Irreversible::CreatePool(create).digest(),
        Irreversible::CreatePool(turned).digest()
    );
}

#[test]
fn a_consent_with_any_field_changed_is_not_signed() {
    let random = SystemRandom::new();
    let der = Consent::new_key(&random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap();
    let (task, node) = (TaskId::from_random(7), NodeName::new("pi5l").unwrap());
    let signed = Consent::sign(&key, "ann", (&task, &node), acts()[0].1.digest(), 1_000, &random).unwrap();
    let check = |consent: &Consent| {
        let bound = (&consent.task, &consent.node);
        consent.permits(bound, &consent.act, 1_000, key.public_key().as_ref())
    };
    assert_eq!(check(&signed), Ok(()));
    let changes: [fn(&mut Consent); 7] = [
        |consent| consent.id = "f".repeat(32),
        |consent| consent.task = TaskId::from_random(8),
        |consent| consent.node = NodeName::new("pi5r").unwrap(),
        |consent| consent.act[31] ^= 1,
        |consent| consent.expires_at_ms += 1,
        |consent| consent.operator.push('a'),
        |consent| consent.signature[8] ^= 1,
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut forged = signed.clone();
        change(&mut forged);
        assert_eq!(check(&forged), Err(ConsentError::Signature), "{at}");
    }
}

/// Texts that look like lengths, ends of fields, or each other's parts.
fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "b", "\0", "\u{1}", "\"", "\n", "@"]),
        0..4,
    )
    .prop_map(|parts| parts.concat())
}

fn serials() -> impl Strategy<Value = Vec<Serial>> {
    prop::collection::vec(prop::sample::select(vec!["A", "B", "AB"]).prop_map(serial), 0..3)
}

fn disks() -> impl Strategy<Value = Vec<DiskIdentity>> {
    let one = (prop::sample::select(vec!["A", "B", "AB"]), 0..2_u64).prop_map(|(name, size)| disk(name, size));
    prop::collection::vec(one, 0..3)
}

/// Changes with few different values, their lists in order: many are the same, and many nearly.
fn any_act() -> impl Strategy<Value = Irreversible> {
    let pairs = || prop::collection::vec((words(), words()), 0..3);
    let create = (disks(), pairs(), serials()).prop_map(|(mut disks, mut properties, mut unread)| {
        disks.sort();
        properties.sort();
        unread.sort();
        let pool = PoolName::new("data").unwrap();
        Irreversible::CreatePool(CreatePool {
            pool,
            disks,
            properties,
            unread,
        })
    });
    let erase = (prop::sample::select(vec!["A", "B"]), words()).prop_map(|(name, finding)| {
        Irreversible::EraseContents(EraseContents {
            disk: disk(name, 1),
            finding,
        })
    });
    let import = (0..2_u64, disks(), 0..2_u64, serials()).prop_map(|(guid, disks, txg, mut missing)| {
        let mut present: Vec<_> = disks.into_iter().map(|disk| (disk, txg)).collect();
        present.sort();
        missing.sort();
        let guid = PoolGuid(guid);
        Irreversible::ImportPool(ImportPool { guid, present, missing })
    });
    let changes = prop::collection::vec((words(), words(), words()), 0..3);
    let lower = (changes, prop::collection::vec((words(), 0..2_u64), 0..3)).prop_map(|(changes, mut victims)| {
        let mut changes: Vec<_> = changes
            .into_iter()
            .map(|(dataset, before, after)| KeepChange { dataset, before, after })
            .collect();
        changes.sort();
        victims.sort();
        Irreversible::LowerKeep(LowerKeep { changes, victims })
    });
    prop_oneof![create, erase, import, lower]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn two_different_acts_never_encode_alike(one in any_act(), other in any_act()) {
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
    }

    #[test]
    fn two_different_holds_never_encode_alike(one in (words(), words()), other in (words(), words())) {
        prop_assert_eq!(one == other, hold(&one.0, &one.1).digest() == hold(&other.0, &other.1).digest());
    }

    #[test]
    fn a_byte_moved_to_the_next_field_changes_the_encoding(text in "[a-c]{1,8}", at in 0..8_usize) {
        let (head, tail) = text.split_at(at % text.len());
        let property = |name: &str, value: &str| Irreversible::CreatePool(CreatePool {
            pool: PoolName::new("data").unwrap(),
            disks: vec![],
            properties: vec![(name.into(), value.into())],
            unread: vec![],
        });
        let change = |before: &str, after: &str| Irreversible::LowerKeep(LowerKeep {
            changes: vec![KeepChange { dataset: "data".into(), before: before.into(), after: after.into() }],
            victims: vec![],
        });
        prop_assert_ne!(hold(head, tail).digest(), hold(&text, "").digest());
        prop_assert_ne!(property(head, tail).digest(), property(&text, "").digest());
        prop_assert_ne!(change(head, tail).digest(), change(&text, "").digest());
    }

    #[test]
    fn two_different_consents_never_encode_alike(
        one in (0..2_u128, 0..2_u64, words()), other in (0..2_u128, 0..2_u64, words()),
    ) {
        let made = |(task, expires_at_ms, operator): &(u128, u64, String)| Consent {
            task: TaskId::from_random(*task),
            expires_at_ms: *expires_at_ms,
            operator: operator.clone(),
            ..consent()
        };
        prop_assert_eq!(one == other, made(&one).canonical() == made(&other).canonical());
    }

    #[test]
    fn two_different_statements_never_encode_alike(
        one in (words(), 0..2_u64, 0..4_usize), other in (words(), 0..2_u64, 0..4_usize),
    ) {
        let made = |(cluster, at_ms, change): &(String, u64, usize)| Statement {
            cluster: cluster.clone(),
            at_ms: *at_ms,
            ..statements()[*change].1.clone()
        };
        prop_assert_eq!(one == other, made(&one).canonical() == made(&other).canonical());
    }
}
