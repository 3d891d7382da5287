//! JSON as ZFS and util-linux print it: numbers may be strings, and any field may be absent.

use serde_json::Value;

use crate::{Command, RunError};

/// Parses the output of `command`.
pub(crate) fn parse(command: &Command, text: &str) -> Result<Value, RunError> {
    serde_json::from_slice(text.as_bytes()).map_err(|error| RunError::unreadable(command, error.to_string()))
}

/// Parses the output of a program of Proxmox, which may print text above its JSON: the last line that is a list or an
/// object.
pub(crate) fn last(command: &Command, text: &str) -> Result<Value, RunError> {
    let compound = |line: &str| {
        let value: Value = serde_json::from_slice(line.as_bytes()).ok()?;
        (value.is_array() || value.is_object()).then_some(value)
    };
    let found = text.lines().rev().find_map(compound);
    found.ok_or_else(|| RunError::unreadable(command, "there is no JSON in it"))
}

/// Parses the output of a ZFS program (2.3 and later). A major version other than 0 is refused.
pub(crate) fn zfs(command: &Command, text: &str) -> Result<Value, RunError> {
    let value = parse(command, text)?;
    match value.get("output_version").map(|version| number(version, "vers_major")) {
        Some(Some(0)) => Ok(value),
        Some(Some(other)) => Err(RunError::unreadable(
            command,
            format!("its JSON has version {other}, and only 0 is known"),
        )),
        _ => Err(RunError::unreadable(command, "its JSON names no version")),
    }
}

/// A whole number, also as a string of digits.
pub(crate) fn number(value: &Value, key: &str) -> Option<u64> {
    match value.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number of errors; 0 when it is absent. A number that does not fit counts as the maximum, so that no error is
/// missed.
pub(crate) fn count(value: &Value, key: &str) -> u64 {
    let odd = value.get(key).is_some_and(Value::is_number);
    number(value, key).unwrap_or(if odd { u64::MAX } else { 0 })
}

/// A text; None when it is empty.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A boolean, also as 0 and 1, as number or string; false when it is absent.
pub(crate) fn truth(value: &Value, key: &str) -> bool {
    match value.get(key) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "1",
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        _ => false,
    }
}

/// The items of a list; none when it is absent or null.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The fields of an object; none when it is absent.
pub(crate) fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}
