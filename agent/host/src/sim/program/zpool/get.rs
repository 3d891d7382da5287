use serde_json::{Map, Value, json};

use super::status::allocated;
use super::{complained, envelope};
use crate::Output;
use crate::sim::random::Random;
use crate::sim::state::State;
use crate::sim::zfs::Imported;

/// The properties of a pool that can be asked for, with their sources.
pub(super) fn properties(state: &State, pool: &Imported) -> Vec<(String, Value, &'static str)> {
    let size = pool.config.asize;
    let used = allocated(pool);
    let set = |name: &str, default: &str| {
        let found = pool.contents.properties.get(name);
        let value = found.cloned().unwrap_or_else(|| default.to_owned());
        let value = value
            .parse::<u64>()
            .map_or_else(|_| json!(value), |number| json!(number));
        (
            name.to_owned(),
            value,
            if found.is_some() { "LOCAL" } else { "DEFAULT" },
        )
    };
    let own = |name: &str, value: Value| (name.to_owned(), value, "NONE");
    vec![
        own("size", json!(size)),
        own("capacity", json!(used * 100 / size.max(1))),
        ("altroot".to_owned(), json!("-"), "DEFAULT"),
        own("health", json!(pool.state(&state.disks))),
        // The real program limits it to a signed number.
        own("guid", json!(pool.config.guid.min(i64::MAX.unsigned_abs()))),
        set("version", "-"),
        set("bootfs", "-"),
        set("delegation", "on"),
        set("autoreplace", "off"),
        // The default file is shown as "-".
        (
            "cachefile".to_owned(),
            json!(if pool.cached { "-" } else { "none" }),
            "DEFAULT",
        ),
        set("failmode", "wait"),
        set("listsnapshots", "off"),
        set("autoexpand", "off"),
        own("free", json!(size - used)),
        own("allocated", json!(used)),
        own("readonly", json!(if pool.readonly { "on" } else { "off" })),
        set("ashift", "0"),
        set("comment", "-"),
        own("fragmentation", json!(0)),
        set("multihost", "off"),
        set("autotrim", "off"),
        set("compatibility", "off"),
        own("dedupratio", json!("1.00")),
        own("expandsize", json!("-")),
        own("freeing", json!(0)),
        own("leaked", json!(0)),
        own("checkpoint", json!("-")),
        own("load_guid", json!(Random::named(&pool.config.name).next() >> 1)),
        own("bcloneused", json!(0)),
        own("bclonesaved", json!(0)),
        own("bcloneratio", json!("1.00")),
        own("dedup_table_size", json!(0)),
        set("dedup_table_quota", "auto"),
        own("last_scrubbed_txg", json!(0)),
    ]
}

/// `zpool get -j --json-int -p all|NAME,NAME POOL`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-j", "--json-int", "-p", wanted, name] = args else {
        return None;
    };
    let Some(pool) = state.kernel.pools.iter().find(|pool| pool.config.name == *name) else {
        return Some(complained(
            1,
            format!("Cannot get properties of {name}: no such pool available.\n"),
        ));
    };
    let all = properties(state, pool);
    let known = |wanted: &str| all.iter().any(|(name, ..)| name == wanted);
    if *wanted != "all" && !wanted.split(',').all(known) {
        return None;
    }
    let asked = |name: &str| *wanted == "all" || wanted.split(',').any(|one| one == name);
    let shown: Map<String, Value> = all
        .into_iter()
        .filter(|(name, ..)| asked(name))
        .map(|(name, value, source)| (name, json!({"value": value, "source": {"type": source, "data": "-"}})))
        .collect();
    let config = &pool.config;
    let entry = json!({"name": name, "type": "POOL", "state": pool.state(&state.disks), "pool_guid": config.guid,
                       "txg": config.txg, "spa_version": 5000, "zpl_version": 5, "properties": shown});
    Some(envelope("zpool get", "pools", &json!({*name: entry})))
}
