//! The tables of bounds, from the options of the fields in the .proto files.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

/// Of a field without the option `most`, in bytes.
const MOST: u32 = 256;

/// Writes a table for each message that a node or an operator can send.
pub fn code(pool: &DescriptorPool) -> Result<String> {
    let sent = |name: &str| pool.get_message_by_name(&format!("heeler.v1.{name}"));
    let mut open: Vec<_> = [sent("FromAgent"), sent("EnrolRequest")]
        .into_iter()
        .flatten()
        .collect();
    let service = pool.get_service_by_name("heeler.v1.Operator");
    let service = service.context("there is no service Operator")?;
    let mut code = String::from("/// The fields of each call's request, by the call's name.\n");
    code.push_str("pub const OPERATOR: &[(&str, &[Field])] = &[");
    for call in service.methods() {
        write!(code, "({:?}, {}),", call.name(), table(&call.input()))?;
        open.push(call.input());
    }
    code.push_str("];\n");
    let mut done = BTreeSet::new();
    while let Some(message) = open.pop() {
        if !done.insert(message.full_name().to_owned()) {
            continue;
        }
        ensure!(
            message.fields().len() <= 32,
            "{}: more fields than are counted",
            message.full_name()
        );
        write!(
            code,
            "/// The fields of `{}` that have a bound.\npub const {}: &[Field] = &[",
            message.name(),
            table(&message)
        )?;
        for field in message.fields() {
            let inside = field.kind().as_message().cloned();
            let fields = inside.as_ref().map_or_else(|| "&[]".to_owned(), table);
            open.extend(inside);
            let is_plain = !matches!(field.kind(), Kind::Message(_) | Kind::String | Kind::Bytes);
            if is_plain && !field.is_list() {
                continue;
            }
            let items = option(&field, "items")?;
            ensure!(
                items.is_some() == field.is_list(),
                "{}: `items` is for lists, and every list needs it",
                field.full_name()
            );
            let (items, most) = (items.unwrap_or(1), option(&field, "most")?.unwrap_or(MOST));
            write!(
                code,
                "field({}, {:?}, {items}, {most}, {fields}),",
                field.number(),
                field.name()
            )?;
        }
        code.push_str("];\n");
    }
    Ok(code)
}

/// `FromAgent` is `FROM_AGENT`.
fn table(message: &MessageDescriptor) -> String {
    crate::documents::screaming(message.name())
}

fn option(field: &FieldDescriptor, name: &str) -> Result<Option<u32>> {
    let option = field.parent_pool().get_extension_by_name(&format!("heeler.{name}"));
    let option = option.with_context(|| format!("there is no option {name}"))?;
    let options = field.options();
    let is_set = options.has_extension(&option);
    Ok(options.get_extension(&option).as_u32().filter(|_| is_set))
}
