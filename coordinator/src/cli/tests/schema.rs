//! Whether a document fits docs/json/schema.json, and has no key that is not in it.

use serde_json::{Map, Value};

/// The committed schema.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/json/schema.json")).unwrap()
}

/// The schema of a command's document: of one line, where it prints several.
pub fn of<'a>(schema: &'a Value, command: &str) -> &'a Value {
    let command = &schema["properties"][command];
    command.get("items").unwrap_or(command)
}

/// Checks a value. Its error: the first place that does not fit.
pub fn fits(schema: &Value, def: &Value, value: &Value) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {value}"));
    if let Some(path) = def["$ref"].as_str() {
        let found = schema.pointer(path.trim_start_matches('#'));
        return fits(schema, found.ok_or(format!("no {path}"))?, value);
    }
    if let Some(expected) = def.get("const") {
        return if value == expected {
            Ok(())
        } else {
            wrong(&format!("not {expected}"))
        };
    }
    let cases = def["anyOf"].as_array().or(def["oneOf"].as_array());
    if let Some(cases) = cases.filter(|_| def.get("type").is_none()) {
        return any(cases, |case| fits(schema, case, value));
    }
    match (def["type"].as_str().unwrap_or_default(), value) {
        ("object", Value::Object(keys)) => any(&shapes(schema, def), |shape| {
            if let Some(missing) = shape.keys().find(|key| !keys.contains_key(*key)) {
                return wrong(&format!("no key {missing}"));
            }
            keys.iter().try_for_each(|(key, value)| {
                let def = shape.get(key).ok_or(format!("unknown key {key}: {value}"))?;
                fits(schema, def, value).map_err(|problem| format!("{key}: {problem}"))
            })
        }),
        ("array", Value::Array(all)) => all.iter().try_for_each(|one| fits(schema, &def["items"], one)),
        ("string", Value::String(text)) if def.get("pattern").is_some() => {
            let hex = text.len() % 2 == 0 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if hex { Ok(()) } else { wrong("not hex") }
        }
        ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("null", Value::Null) => Ok(()),
        ("integer", Value::Number(number)) if number.is_u64() => Ok(()),
        (kind, _) => wrong(&format!("not {kind}")),
    }
}

fn any<T>(cases: &[T], check: impl Fn(&T) -> Result<(), String>) -> Result<(), String> {
    let problems: Result<Vec<String>, ()> = cases.iter().map(|case| check(case).err().ok_or(())).collect();
    problems.map_or(Ok(()), |problems| Err(problems.join("\n or ")))
}

/// The sets of keys that an object may have: its own, with those of one of its cases.
fn shapes(schema: &Value, def: &Value) -> Vec<Map<String, Value>> {
    let own = def["properties"].as_object().cloned().unwrap_or_default();
    let named = def["$ref"]
        .as_str()
        .and_then(|path| schema.pointer(path.trim_start_matches('#')));
    let below: Vec<_> = match (named, def["anyOf"].as_array()) {
        (Some(named), _) => shapes(schema, named),
        (None, Some(cases)) => cases.iter().flat_map(|case| shapes(schema, case)).collect(),
        (None, None) => vec![Map::new()],
    };
    let both = below
        .into_iter()
        .map(|keys| own.clone().into_iter().chain(keys).collect());
    both.collect()
}
