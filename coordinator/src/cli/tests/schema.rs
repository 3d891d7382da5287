//! Whether a document fits docs/json/schema.json, and has no key that is not in it.

use serde_json::Value;

/// The committed schema.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/json/schema.json")).unwrap()
}

/// The schema of a command's document: of one line, where it prints several.
pub fn of<'a>(schema: &'a Value, command: &str) -> &'a Value {
    let command = &schema["properties"][command];
    command.get("items").unwrap_or(command)
}

/// Checks a value.
///
/// # Errors
/// The first place that does not fit.
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
    if let Some(cases) = def["anyOf"].as_array().or(def["oneOf"].as_array()) {
        let all: Result<Vec<String>, ()> = cases
            .iter()
            .map(|case| fits(schema, case, value).err().ok_or(()))
            .collect();
        return all.map_or(Ok(()), |problems| Err(problems.join("\n or ")));
    }
    match (def["type"].as_str().unwrap_or_default(), value) {
        ("object", Value::Object(keys)) => {
            let known = def["properties"].as_object().ok_or("no properties")?;
            if let Some(missing) = known.keys().find(|key| !keys.contains_key(*key)) {
                return wrong(&format!("no key {missing}"));
            }
            for (key, value) in keys {
                let def = known.get(key).ok_or(format!("unknown key {key}: {value}"))?;
                fits(schema, def, value).map_err(|problem| format!("{key}: {problem}"))?;
            }
            Ok(())
        }
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
