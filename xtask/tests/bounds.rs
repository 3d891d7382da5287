//! The tables of bounds cover every list and text that a node or an operator can send.

#![expect(clippy::unwrap_used, reason = "a test may panic, also outside of its own function")]

use std::path::Path;

use heeler_proto::bounds::{ENROL_REQUEST, FROM_AGENT, Field, OPERATOR, check};
use heeler_proto::v1::{self, from_agent::Body, reply::Answer};
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

fn descriptors() -> FileDescriptorSet {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let files = ["agent", "operator"].map(|name| include.join(format!("heeler/v1/{name}.proto")));
    protox::compile(files, [&include]).unwrap()
}

fn message<'a>(set: &'a FileDescriptorSet, name: &str) -> &'a DescriptorProto {
    let name = name.trim_start_matches(".heeler.v1.");
    let mut all = set.file.iter().flat_map(|file| &file.message_type);
    all.find(|message| message.name() == name).unwrap()
}

fn compare(set: &FileDescriptorSet, name: &str, fields: &[Field]) {
    let described = message(set, name);
    for field in &described.field {
        let bounded = fields.iter().find(|bound| bound.number == field.number() as u32);
        let is_list = field.label() == Label::Repeated;
        match (field.r#type(), bounded) {
            (Type::Message, Some(bound)) => {
                assert_eq!(bound.name, field.name(), "{name}");
                assert!(is_list || bound.count == 1, "{name}.{}", field.name());
                compare(set, field.type_name(), bound.fields);
            }
            (Type::String | Type::Bytes, Some(bound)) => {
                assert_eq!(bound.name, field.name(), "{name}");
                assert!(is_list || bound.count == 1, "{name}.{}", field.name());
            }
            (Type::Message | Type::String | Type::Bytes, None) => panic!("{name}.{} has no bound", field.name()),
            (_, None) => assert!(!is_list, "{name}.{} has no bound", field.name()),
            (_, Some(bound)) => assert_eq!(bound.name, field.name(), "{name}"),
        }
    }
    for bound in fields {
        assert!(
            described
                .field
                .iter()
                .any(|field| field.number() as u32 == bound.number),
            "{name} has no field {} ({})",
            bound.number,
            bound.name
        );
    }
    assert!(fields.len() <= 32, "{name}");
}

#[test]
fn every_list_and_word_of_a_node_has_a_bound() {
    let set = descriptors();
    compare(&set, "FromAgent", FROM_AGENT);
    compare(&set, "EnrolRequest", ENROL_REQUEST);
}

#[test]
fn every_list_and_word_of_an_operator_has_a_bound() {
    let set = descriptors();
    let services = set.file.iter().flat_map(|file| &file.service);
    let calls = services.filter(|service| service.name() == "Operator");
    let calls: Vec<_> = calls.flat_map(|service| &service.method).collect();
    assert_eq!(calls.len(), OPERATOR.len());
    for call in calls {
        let known = OPERATOR.iter().find(|(name, _)| *name == call.name());
        let (_, fields) = known.unwrap_or_else(|| panic!("{} has no row", call.name()));
        compare(&set, call.input_type(), fields);
    }
}

fn facts(facts: v1::Facts) -> Vec<u8> {
    let reply = v1::Reply {
        id: 1,
        answer: Some(Answer::Facts(facts)),
        ..v1::Reply::default()
    };
    let body = Some(Body::Reply(reply));
    v1::FromAgent { body }.encode_to_vec()
}

fn refusal(message: &[u8]) -> String {
    check(message, FROM_AGENT).map_or_else(|excess| excess.to_string(), |()| String::new())
}

#[test]
fn an_exceeded_bound_is_named() {
    let many = |count| v1::Facts {
        pools: vec![v1::Pool::default(); count],
        ..v1::Facts::default()
    };
    assert_eq!(refusal(&facts(many(64))), "");
    assert_eq!(refusal(&facts(many(16_000))), "16000 pools, at most 64");
    let legs = v1::Facts {
        pools: vec![v1::Pool {
            legs: vec![v1::Leg::default(); 200_000],
            ..v1::Pool::default()
        }],
        ..v1::Facts::default()
    };
    assert_eq!(refusal(&facts(legs)), "200000 legs, at most 128");
    let long = v1::Facts {
        model: "x".repeat(300),
        ..v1::Facts::default()
    };
    assert_eq!(refusal(&facts(long)), "model of 300 bytes, at most 256");
    let hello = v1::Hello {
        agent_version: "x".repeat(2 << 20),
        ..v1::Hello::default()
    };
    let hello = v1::FromAgent {
        body: Some(Body::Hello(hello)),
    };
    assert_eq!(
        refusal(&hello.encode_to_vec()),
        "agent_version of 2097152 bytes, at most 256"
    );
}

#[test]
fn parts_that_a_decoder_would_merge_count_together() {
    let part = facts(v1::Facts {
        pools: vec![v1::Pool::default(); 60],
        ..v1::Facts::default()
    });
    assert_eq!(refusal(&[part.clone(), part].concat()), "2 reply, at most 1");
}

#[test]
fn a_large_honest_node_stays_within_the_bounds() {
    let word = |number: usize| format!("nvme-Samsung_SSD_990_PRO_with_Heatsink_4TB_S7DSNJ0X{number:06}");
    let leg = |number: usize| v1::Leg {
        serial: word(number),
        guid: u64::MAX.to_string(),
        state: "ONLINE".into(),
        path: format!("/dev/disk/by-id/{}-part1", word(number)),
        ..v1::Leg::default()
    };
    let pool = |number: usize| v1::Pool {
        name: word(number),
        guid: u64::MAX.to_string(),
        legs: (0..24).map(leg).collect(),
        ..v1::Pool::default()
    };
    let nic = |number: usize| v1::Nic {
        name: word(number),
        addresses: (0..8).map(word).collect(),
        ..v1::Nic::default()
    };
    let disk = |number: usize| v1::Disk {
        serial: word(number),
        by_id: word(number),
        model: word(number),
        finding: word(number).repeat(4),
        ..v1::Disk::default()
    };
    let stand = |number: usize| v1::SnapshotStand {
        dataset: word(number),
        ..v1::SnapshotStand::default()
    };
    let large = v1::Facts {
        disks: (0..96).map(disk).collect(),
        nics: (0..64).map(nic).collect(),
        pools: (0..12).map(pool).collect(),
        schedule: Some(v1::ScheduleFacts {
            stands: (0..1000).map(stand).collect(),
            ..v1::ScheduleFacts::default()
        }),
        ..v1::Facts::default()
    };
    assert_eq!(refusal(&facts(large)), "");
}
