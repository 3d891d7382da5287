//! The documents that the command line prints with --json: which messages they are made of, how those become JSON, and
//! the schema of them all.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use protox::prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};
use serde_json::{Map, Value, json};
use tonic_prost_build::Builder;

/// Number of the schema in every document. Keys may be added to it; a key that is renamed or removed needs a new number.
const NUMBER: u32 = 2;
/// The message that lists the commands.
const ROOT: &str = "heeler.json.Documents";
/// The oneof whose message has its keys beside those of the message around it, without a tag.
const INLINE: &str = "inline";

/// Every message and enum that a document can hold.
pub struct Documents {
    root: MessageDescriptor,
    messages: BTreeMap<String, MessageDescriptor>,
    enums: BTreeMap<String, EnumDescriptor>,
}

impl Documents {
    /// Finds them, from the fields of the message that lists the commands.
    pub fn find(pool: &DescriptorPool) -> Result<Self> {
        let root = pool
            .get_message_by_name(ROOT)
            .with_context(|| format!("there is no message {ROOT}"))?;
        let mut found = Self {
            root: root.clone(),
            messages: [(root.full_name().to_owned(), root.clone())].into(),
            enums: BTreeMap::new(),
        };
        let mut open: Vec<_> = messages(&root).collect();
        while let Some(message) = open.pop() {
            open.extend(messages(&message).filter(|one| !found.messages.contains_key(one.full_name())));
            let enums = message.fields().filter_map(|field| field.kind().as_enum().cloned());
            found.enums.extend(enums.map(|one| (one.full_name().to_owned(), one)));
            found.messages.insert(message.full_name().to_owned(), message);
        }
        Ok(found)
    }

    /// Lets the generated types derive `Serialize`, behind the feature `json`.
    pub fn derive(&self, mut builder: Builder) -> Result<Builder> {
        let serde = |attributes: &str| format!("#[cfg_attr(feature = \"json\", {attributes})]");
        for (name, message) in &self.messages {
            builder = builder.message_attribute(format!(".{name}"), serde("derive(serde::Serialize)"));
            for field in message.fields() {
                let with = match field.kind() {
                    Kind::Enum(one) => format!("word::<{}, _>", rust_path(&one)?),
                    Kind::Bytes => "hex".to_owned(),
                    _ => continue,
                };
                ensure!(
                    is_plain(&field),
                    "{}: proto/src/shape.rs has no list or absence of it",
                    field.full_name()
                );
                let with = serde(&format!("serde(serialize_with = \"crate::shape::{with}\")"));
                builder = builder.field_attribute(format!(".{}", field.full_name()), with);
            }
            if let Some(oneof) = oneof(message)? {
                let tag = match oneof.name() {
                    INLINE => "untagged".to_owned(),
                    name => format!("tag = \"{name}\""),
                };
                let path = format!(".{}", oneof.full_name());
                builder = builder.enum_attribute(&path, serde(&format!("derive(serde::Serialize), serde({tag})")));
                for field in oneof.fields() {
                    let rename = serde(&format!("serde(rename = \"{}\")", words(field.name())));
                    builder = builder.field_attribute(format!("{path}.{}", field.name()), rename);
                }
            }
        }
        for (name, one) in &self.enums {
            builder = builder.enum_attribute(format!(".{name}"), serde("derive(serde::Serialize)"));
            for value in one.values() {
                let rename = serde(&format!("serde(rename = \"{}\")", word(one, value.name())));
                builder = builder.field_attribute(format!(".{name}.{}", value.name()), rename);
            }
        }
        Ok(builder)
    }

    /// Puts the keys of each oneof beside those of its message. The generator of the code has no attribute for a field
    /// that does not also reach the cases of its oneof.
    pub fn flatten(&self, package: &str, code: &mut String) -> Result<()> {
        let own = self
            .messages
            .values()
            .filter(|message| message.package_name() == package);
        for message in own {
            if oneof(message)?.is_some() {
                let name = message.name();
                let start = code.find(&format!("pub struct {name} {{"));
                let field = start.and_then(|start| Some(start + code.get(start..)?.find("#[prost(oneof")?));
                let field = field.with_context(|| format!("the code of {name} has no oneof"))?;
                code.insert_str(field, "#[cfg_attr(feature = \"json\", serde(flatten))]\n");
            }
        }
        Ok(())
    }

    /// The JSON Schema of every command's document.
    pub fn schema(&self) -> Result<Value> {
        let mut defs = Map::new();
        for message in self.messages.values().filter(|message| **message != self.root) {
            let mut def = definition(message)?;
            describe(&mut def, comment(&message.parent_file(), message.path()));
            ensure!(
                defs.insert(message.name().to_owned(), def).is_none(),
                "two messages are called {}",
                message.name()
            );
        }
        for one in self.enums.values() {
            let values = one.values().map(|value| {
                let mut def = json!({ "const": word(one, value.name()) });
                describe(&mut def, comment(&one.parent_file(), value.path()));
                def
            });
            let mut def = json!({ "oneOf": values.collect::<Vec<_>>() });
            describe(&mut def, comment(&one.parent_file(), one.path()));
            ensure!(
                defs.insert(one.name().to_owned(), def).is_none(),
                "an enum is called {} like another type",
                one.name()
            );
        }
        let mut commands = Map::new();
        for field in self.root.fields() {
            let mut def = reference(&field);
            def["properties"] = json!({ "schema": { "const": NUMBER } });
            def["required"] = json!(["schema"]);
            if field.is_list() {
                def = json!({ "type": "array", "items": def });
            }
            describe(&mut def, comment(&field.parent_message().parent_file(), field.path()));
            commands.insert(field.name().to_owned(), def);
        }
        Ok(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "What heeler prints with --json",
            "description": comment(&self.root.parent_file(), self.root.path()),
            "type": "object",
            "properties": commands,
            "$defs": defs,
        }))
    }
}

/// The schema as it is committed: one definition a line, so that a change of one is a change of one line.
pub fn text(schema: &Value) -> String {
    let line = |(name, value): (&String, &Value)| format!("{}: {value}", Value::from(name.as_str()));
    let lines = |of: &Map<String, Value>| of.iter().map(line).collect::<Vec<_>>().join(",\n    ");
    let of = |(name, value): (&String, &Value)| match (name.as_str(), value.as_object()) {
        ("properties" | "$defs", Some(of)) => format!("  \"{name}\": {{\n    {}\n  }}", lines(of)),
        _ => format!("  {}", line((name, value))),
    };
    let all = schema.as_object().into_iter().flatten().map(of);
    format!("{{\n{}\n}}\n", all.collect::<Vec<_>>().join(",\n"))
}

fn messages(message: &MessageDescriptor) -> impl Iterator<Item = MessageDescriptor> {
    message.fields().filter_map(|field| field.kind().as_message().cloned())
}

/// The schema of a message: its keys, and beside them those of one case of its oneof.
fn definition(message: &MessageDescriptor) -> Result<Value> {
    let own: Map<_, _> = own(message)
        .map(|field| (field.name().to_owned(), key(&field)))
        .collect();
    let required: Vec<_> = own.keys().cloned().collect();
    let mut def = json!({ "type": "object", "properties": own, "required": required });
    if let Some(oneof) = oneof(message)? {
        names(message)?;
        let tag = Some(oneof.name()).filter(|name| *name != INLINE);
        let case = |field: FieldDescriptor| {
            let mut case = reference(&field);
            if let Some(tag) = tag {
                let mut word = json!({ "const": words(field.name()) });
                describe(&mut word, comment(&message.parent_file(), field.path()));
                case["properties"] = json!({ tag: word });
                case["required"] = json!([tag]);
            }
            case
        };
        let none = tag.map(|tag| json!({ "not": { "required": [tag] } }));
        def["anyOf"] = oneof.fields().map(case).chain(none).collect();
    }
    Ok(def)
}

/// Every key that the message may have. Fails when two of them are the same.
fn names(message: &MessageDescriptor) -> Result<BTreeSet<String>> {
    let mut all: BTreeSet<_> = own(message).map(|field| field.name().to_owned()).collect();
    let Some(oneof) = oneof(message)? else { return Ok(all) };
    let mut cases = BTreeSet::new();
    for field in oneof.fields() {
        let Kind::Message(case) = field.kind() else {
            bail!("{} is no message", field.full_name());
        };
        cases.extend(names(&case)?);
    }
    let is_free = oneof.name() == INLINE || !cases.contains(oneof.name()) && all.insert(oneof.name().to_owned());
    ensure!(
        is_free && all.is_disjoint(&cases),
        "a key of {} would be there twice",
        message.full_name()
    );
    all.append(&mut cases);
    Ok(all)
}

fn own(message: &MessageDescriptor) -> impl Iterator<Item = FieldDescriptor> {
    let is_own = |field: &FieldDescriptor| field.containing_oneof().is_none_or(|around| around.is_synthetic());
    message.fields().filter(is_own)
}

fn reference(field: &FieldDescriptor) -> Value {
    let name = match field.kind() {
        Kind::Message(of) => of.name().to_owned(),
        Kind::Enum(of) => of.name().to_owned(),
        _ => String::new(),
    };
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn key(field: &FieldDescriptor) -> Value {
    let mut one = match field.kind() {
        Kind::Message(_) | Kind::Enum(_) => reference(field),
        Kind::String => json!({ "type": "string" }),
        Kind::Bytes => json!({ "type": "string", "pattern": "^([0-9a-f]{2})*$" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Uint32 | Kind::Uint64 => json!({ "type": "integer", "minimum": 0 }),
        _ => json!({ "type": "number" }),
    };
    if field.is_list() {
        one = json!({ "type": "array", "items": one });
    } else if field.supports_presence() {
        one = json!({ "anyOf": [one, { "type": "null" }] });
    }
    describe(&mut one, comment(&field.parent_message().parent_file(), field.path()));
    one
}

/// Neither a list nor a value that may be absent.
fn is_plain(field: &FieldDescriptor) -> bool {
    !field.is_list() && !field.supports_presence()
}

/// The oneof of a message; a field that is only optional is none.
fn oneof(message: &MessageDescriptor) -> Result<Option<OneofDescriptor>> {
    let mut all = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    let first = all.next();
    ensure!(all.next().is_none(), "{} has two oneofs", message.full_name());
    Ok(first)
}

fn rust_path(one: &EnumDescriptor) -> Result<String> {
    ensure!(
        one.parent_message().is_none(),
        "{} is within a message",
        one.full_name()
    );
    let path = one
        .full_name()
        .strip_prefix("heeler.")
        .context("an enum of another package")?;
    Ok(format!("crate::{}", path.replace('.', "::")))
}

/// `task_started` is "task started".
fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

/// `STEP_OUTCOME_NOT_APPLICABLE` of `StepOutcome` is "not applicable".
fn word(of: &EnumDescriptor, value: &str) -> String {
    let prefix = format!("{}_", screaming(of.name()));
    words(value.strip_prefix(&prefix).unwrap_or(value))
}

/// `StepOutcome` is `STEP_OUTCOME`.
pub fn screaming(name: &str) -> String {
    let mut all = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !all.is_empty() {
            all.push('_');
        }
        all.push(letter.to_ascii_uppercase());
    }
    all
}

fn describe(def: &mut Value, comment: String) {
    if !comment.is_empty() {
        def["description"] = comment.into();
    }
}

/// The comment before a declaration, in one line.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut places = info.iter().flat_map(|info| &info.location);
    let place = places.find(|place| place.path == path);
    let text = place.map_or("", |place| place.leading_comments());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
