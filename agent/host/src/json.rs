//! JSON as the ZFS and util-linux programs print it: numbers may come as strings, and what is missing is missing.

use serde_json::Value;

use crate::{Command, RunError};

/// Parses what `command` printed.
pub(crate) fn parse(command: &Command, text: &str) -> Result<Value, RunError> {
    serde_json::from_slice(text.as_bytes()).map_err(|error| RunError::unreadable(command, error.to_string()))
}

/// Parses the envelope of a ZFS program (`zfs(8)`, 2.3 and later); another major version of it is refused.
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

/// A whole number, as such or as a string of digits.
pub(crate) fn number(value: &Value, key: &str) -> Option<u64> {
    match value.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Of errors; none when it is missing. A number that is none of ours counts as more errors than any other: none is overlooked.
pub(crate) fn count(value: &Value, key: &str) -> u64 {
    let odd = value.get(key).is_some_and(Value::is_number);
    number(value, key).unwrap_or(if odd { u64::MAX } else { 0 })
}

/// A text that is not empty.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A truth, as such or as 0 and 1.
pub(crate) fn truth(value: &Value, key: &str) -> bool {
    match value.get(key) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "1",
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        _ => false,
    }
}

/// Members of a list; none when it is missing or null.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Values of an object, by key; none when it is missing.
pub(crate) fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}
