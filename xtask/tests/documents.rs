//! Every field of every message that a document can hold is in --json, and in the schema.

#![expect(clippy::unwrap_used, reason = "a test may panic, also outside of its own function")]

use std::path::Path;

use heeler_proto::json::Documents;
use prost::Message as _;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

#[path = "../../coordinator/src/cli/tests/schema.rs"]
mod schema;

fn pool() -> DescriptorPool {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let set = protox::compile([include.join("json/documents.proto")], [&include]).unwrap();
    DescriptorPool::from_file_descriptor_set(set).unwrap()
}

/// A message with every field set, and every list with an entry. `turn` chooses among the cases of a oneof or an enum.
fn full(message: &MessageDescriptor, turn: usize) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let cases = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        if let Some(cases) = cases
            && cases.fields().nth(turn % cases.fields().len()).as_ref() != Some(&field)
        {
            continue;
        }
        let one = value(&field, turn);
        made.set_field(&field, if field.is_list() { Value::List(vec![one]) } else { one });
    }
    made
}

fn value(field: &FieldDescriptor, turn: usize) -> Value {
    match field.kind() {
        Kind::Message(message) => Value::Message(full(&message, turn)),
        Kind::Enum(of) => Value::EnumNumber(of.values().nth(turn % of.values().len()).unwrap().number()),
        Kind::String => Value::String("x".into()),
        Kind::Bytes => Value::Bytes(vec![0, 0xfe].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Uint32 => Value::U32(7),
        Kind::Uint64 => Value::U64(u64::MAX),
        other => panic!("{} is {other:?}", field.full_name()),
    }
}

#[test]
fn documents_with_every_field_set_fit_the_schema() {
    let (pool, schema) = (pool(), schema::schema());
    let root = pool.get_message_by_name("heeler.json.Documents").unwrap();
    // More turns than any oneof or enum has cases.
    for turn in 0..24 {
        let bytes = full(&root, turn).encode_to_vec();
        let documents = Documents::decode(bytes.as_slice()).unwrap();
        let documents = serde_json::to_value(&documents).unwrap();
        let documents = documents.as_object().unwrap();
        assert_eq!(documents.len(), root.fields().len());
        for (command, document) in documents {
            let one = document.get(0).unwrap_or(document);
            if let Err(problem) = schema::fits(&schema, schema::of(&schema, command), one) {
                panic!("{command}: {problem}");
            }
        }
    }
}

/// Keys are compared with the descriptors, whatever the schema's own walk did.
#[test]
fn every_field_of_every_reachable_message_is_in_the_schema() {
    let (pool, schema) = (pool(), schema::schema());
    let mut open = vec![pool.get_message_by_name("heeler.json.Documents").unwrap()];
    let mut seen = Vec::new();
    while let Some(message) = open.pop() {
        for field in message.fields() {
            let def = match message.name() {
                "Documents" => &schema,
                name => &schema["$defs"][name],
            };
            let is = |known: &serde_json::Value, name: &str| known["$ref"] == format!("#/$defs/{name}");
            let case = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
            let known = match (case, field.kind()) {
                // A case of a oneof is there by its own keys, beside those of the message.
                (Some(_), Kind::Message(case)) => {
                    let cases = def["anyOf"].as_array();
                    cases.is_some_and(|cases| cases.iter().any(|known| is(known, case.name())))
                }
                _ => def["properties"].get(field.name()).is_some(),
            };
            assert!(known, "{} is not in the schema", field.full_name());
            if let Kind::Message(below) = field.kind()
                && !seen.contains(&below)
            {
                seen.push(below.clone());
                open.push(below);
            }
        }
    }
    assert!(seen.len() > 60, "{}", seen.len());
}
