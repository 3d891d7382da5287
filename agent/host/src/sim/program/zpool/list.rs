use serde_json::Value;

use super::get::properties;
use super::{Output, printed};
use crate::sim::state::State;

/// `zpool list -Hp -o NAME,NAME`: one line for each pool, with tabs.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-Hp", "-o", columns] = args else { return None };
    let mut lines = String::new();
    for pool in &state.kernel.pools {
        let all = properties(state, pool);
        let column = |name: &str| {
            let value = match name {
                "name" => return Some(pool.config.name.clone()),
                _ => all
                    .iter()
                    .find(|(known, ..)| known == name)
                    .map(|(_, value, _)| value)?,
            };
            Some(match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let fields: Option<Vec<String>> = columns.split(',').map(column).collect();
        lines.push_str(&fields?.join("\t"));
        lines.push('\n');
    }
    Some(printed(lines))
}
