use serde_json::{Map, Value, json};

use super::list::{entry, property};
use super::{no_such, pool_of, printed};
use crate::Output;
use crate::sim::state::State;

/// `zfs get -j --json-int -p NAME,NAME DATASET`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-j", "--json-int", "-p", names, dataset] = args else {
        return None;
    };
    let pool = pool_of(state, dataset).map(|at| &state.kernel.pools[at]);
    let found = pool.and_then(|pool| Some((pool, pool.contents.dataset(dataset)?)));
    let Some((pool, found)) = found else {
        return Some(no_such(dataset));
    };
    let names = names.split(',');
    let shown: Option<Map<String, Value>> = names
        .map(|name| Some((name.to_owned(), property(state, pool, found, name)?)))
        .collect();
    let version = json!({"command": "zfs get", "vers_major": 0, "vers_minor": 1});
    let datasets = json!({*dataset: entry(pool, found, &shown?)});
    Some(printed(format!(
        "{}\n",
        json!({"output_version": version, "datasets": datasets})
    )))
}
