use serde_json::{Map, Value, json};

use super::printed;
use crate::Output;
use crate::sim::state::State;
use crate::sim::zfs::{Dataset, Imported};

/// `zfs list -j --json-int -p -t filesystem,volume -o name,COLUMN,…`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-j", "--json-int", "-p", "-t", "filesystem,volume", "-o", columns] = args else {
        return None;
    };
    let mut shown = Map::new();
    for pool in &state.kernel.pools {
        for dataset in &pool.contents.datasets {
            let names = columns.split(',').filter(|name| *name != "name");
            let properties: Option<Map<String, Value>> = names
                .map(|name| Some((name.to_owned(), property(state, pool, dataset, name)?)))
                .collect();
            shown.insert(dataset.name.clone(), entry(pool, dataset, &properties?));
        }
    }
    let version = json!({"command": "zfs list", "vers_major": 0, "vers_minor": 1});
    let mut answer = printed(format!("{}\n", json!({"output_version": version, "datasets": shown})));
    if shown.is_empty() {
        answer.stderr.push_str("no datasets available\n");
    }
    Some(answer)
}

pub(super) fn entry(pool: &Imported, dataset: &Dataset, properties: &Map<String, Value>) -> Value {
    json!({"name": dataset.name, "type": "FILESYSTEM", "pool": pool.config.name, "createtxg": dataset.createtxg,
           "properties": properties})
}

/// None for a property that the simulation does not know.
pub(super) fn property(state: &State, pool: &Imported, dataset: &Dataset, name: &str) -> Option<Value> {
    let own = |value: Value| Some(json!({"value": value, "source": {"type": "NONE", "data": "-"}}));
    let below = format!("{}/", dataset.name);
    let of = |one: &&Dataset| one.name == dataset.name || one.name.starts_with(&below);
    let all = pool.contents.datasets.iter();
    let used = || all.clone().filter(of).map(|one| one.files.size() + 98_304).sum::<u64>();
    match name {
        "mounted" => {
            let mounted = state.kernel.mounted.iter().any(|mount| mount.source == dataset.name);
            own(json!(if mounted { "yes" } else { "no" }))
        }
        "used" => own(json!(used())),
        "referenced" => own(json!(dataset.files.size() + 98_304)),
        "available" => {
            let all: u64 = all.map(|one| one.files.size() + 98_304).sum();
            own(json!((pool.config.asize / 32 * 31).saturating_sub(all)))
        }
        "creation" => own(json!(dataset.creation_s)),
        "guid" => own(json!(dataset.guid)),
        "type" => own(json!("filesystem")),
        _ => {
            let (value, kind, data) = pool.contents.property(&dataset.name, name);
            // A user property that is not set shows "-".
            (value != "-" || name.contains(':'))
                .then(|| json!({"value": value, "source": {"type": kind, "data": data}}))
        }
    }
}
