//! Messages may hold anything: no parser panics, and what it accepts converts back to the same message.

#![expect(clippy::unwrap_used, reason = "a test ends where its message is not valid")]

use std::sync::LazyLock;

use heeler_proto::{Consent, Irreversible, NodeName, OperatorName, Serial, Statement, Task, TaskId, v1};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

const CASES: u32 = 100_000;

fn many() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Random numbers from a number (splitmix64), because a proptest strategy for each byte and character takes most of
/// the time.
fn numbers(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// Characters that names may have, and some that they must not have.
static CHARACTERS: LazyLock<Vec<char>> = LazyLock::new(|| {
    let all = "abcxyzABCXYZ0123456789-._@/ \n\"'\0\\:;$%~äß€\u{202e}\u{feff}犬🐕";
    all.chars().collect()
});

/// Any character, or equally often one of the special ones.
fn character(number: u64) -> char {
    let any = u32::try_from(number >> 32)
        .ok()
        .and_then(|any| char::from_u32(any % 0x11_0000));
    match number % 8 {
        0 => any.unwrap_or('-'),
        _ => CHARACTERS[usize::try_from(number >> 3).unwrap_or_default() % CHARACTERS.len()],
    }
}

/// Parses the bytes as every message that becomes a checked type.
fn read(bytes: &[u8]) {
    if let Ok(wire) = v1::Task::decode(bytes)
        && let Ok(task) = Task::try_from(wire)
    {
        assert_eq!(Task::try_from(v1::Task::from(task.clone())), Ok(task));
    }
    if let Ok(wire) = v1::Consent::decode(bytes)
        && let Ok(consent) = Consent::try_from(wire)
    {
        assert_eq!(Consent::try_from(v1::Consent::from(consent.clone())), Ok(consent));
    }
    if let Ok(wire) = v1::Irreversible::decode(bytes)
        && let Ok(act) = Irreversible::try_from(wire)
    {
        assert_eq!(Irreversible::try_from(v1::Irreversible::from(act.clone())), Ok(act));
    }
    if let Ok(wire) = v1::Statement::decode(bytes)
        && let Ok(statement) = Statement::try_from(wire)
    {
        assert_eq!(
            Statement::try_from(v1::Statement::from(statement.clone())),
            Ok(statement)
        );
    }
    drop(v1::FromAgent::decode(bytes));
    drop(v1::ToAgent::decode(bytes));
    drop(v1::EnrolRequest::decode(bytes));
    drop(v1::ApplyRequest::decode(bytes));
}

/// Well-formed messages, to be damaged.
static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(good);

fn ensure_pool() -> Task {
    let spec = br#"{"pool":{"name":"data","serials":["A","B"],"datasets":[{"name":"data/vm","mountpoint":"none"}],
        "arc_max_bytes":null,"hostid":195935998,"recorded_guid":null,"recorded_serials":[],"comment":"heeler:k8sctl/a"},
        "live":[],"unread":["A"]}"#;
    Task::read("ensure pool", spec).unwrap()
}

fn good() -> Vec<Vec<u8>> {
    let disk = v1::DiskIdentity {
        serial: "S1".into(),
        size_bytes: 1 << 37,
    };
    let consent = v1::Consent {
        id: "0".repeat(32),
        task_id: "0".repeat(32),
        node: "a".into(),
        act_sha256: vec![1; 32],
        expires_at_ms: 1,
        operator: "me".into(),
        signature: vec![2; 70],
    };
    let erase = v1::EraseContents {
        disk: Some(disk.clone()),
        finding: "ext4".into(),
    };
    let create = v1::CreatePool {
        pool: "data".into(),
        disks: vec![disk],
        properties: vec![],
        unread: vec!["A".into()],
    };
    let statement = |change| v1::Statement {
        cluster: "k8sctl".into(),
        at_ms: 1,
        operator: "me".into(),
        signature: vec![3; 70],
        change: Some(change),
    };
    use v1::irreversible::Act;
    use v1::statement::Change;
    let act = |act| v1::Irreversible { act: Some(act) }.encode_to_vec();
    vec![
        v1::Task::from(ensure_pool()).encode_to_vec(),
        consent.encode_to_vec(),
        act(Act::EraseContents(erase)),
        act(Act::CreatePool(create)),
        statement(Change::AddOperator(v1::AddOperator {
            name: "bo".into(),
            public_key: vec![4; 65],
        }))
        .encode_to_vec(),
        statement(Change::AddAuthority(v1::AddAuthority {
            certificate: vec![0x30; 400],
        }))
        .encode_to_vec(),
        statement(Change::DropAuthority(v1::DropAuthority { sha256: vec![5; 32] })).encode_to_vec(),
    ]
}

#[test]
fn truncated_messages_make_no_reader_panic() {
    for whole in good() {
        (0..=whole.len()).for_each(|end| read(&whole[..end]));
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn random_bytes_make_no_reader_panic(seed in any::<u64>(), length in 0..200_usize) {
        let mut bytes: Vec<u8> = numbers(seed).take(length.div_ceil(8)).flat_map(u64::to_le_bytes).collect();
        bytes.truncate(length);
        read(&bytes);
    }

    #[test]
    fn damaged_messages_make_no_reader_panic(
        which in any::<Index>(), at in any::<Index>(), end in any::<Index>(), instead in any::<[u8; 7]>(), length in 0..8_usize
    ) {
        let mut bytes = which.get(&GOOD).clone();
        let (a, b) = (at.index(bytes.len() + 1), end.index(bytes.len() + 1));
        bytes.splice(a.min(b)..a.max(b).min(a.min(b) + 8), instead.into_iter().take(length));
        read(&bytes);
    }

    #[test]
    fn accepted_names_are_safe_in_paths_and_lines(seed in any::<u64>(), length in 0..71_usize) {
        // Random names are rarely long and valid.
        let plain = seed % 2 == 0;
        let all = numbers(seed).map(character).filter(|c| !plain || c.is_ascii_alphanumeric() || "-._@".contains(*c));
        let text: String = all.take(length).collect();
        let harmless = |name: &str| {
            !name.is_empty() && name.len() <= 64 && !name.starts_with(['-', '.']) && !name.contains(['/', '\n', ' ', '"', '\''])
        };
        if let Ok(name) = NodeName::new(&text) { prop_assert!(harmless(name.as_str())); }
        if let Ok(name) = OperatorName::new(&text) { prop_assert!(harmless(name.as_str())); }
        if let Ok(name) = Serial::new(&text) { prop_assert!(harmless(name.as_str())); }
        if let Ok(name) = TaskId::new(&text) { prop_assert!(harmless(name.as_str())); }
    }
}
