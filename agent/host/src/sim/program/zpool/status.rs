use serde_json::{Map, Value, json};

use super::{complained, envelope};
use crate::Output;
use crate::sim::state::State;
use crate::sim::zfs::{Health, Imported, Scrub};

/// `zpool status -j --json-int -p -P [POOL]`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let only = match args {
        ["-j", "--json-int", "-p", "-P"] => None,
        ["-j", "--json-int", "-p", "-P", name] => Some(*name),
        _ => return None,
    };
    let shown = state
        .kernel
        .pools
        .iter()
        .filter(|pool| only.is_none_or(|only| only == pool.config.name));
    let pools: Map<String, Value> = shown
        .map(|pool| (pool.config.name.clone(), status(state, pool)))
        .collect();
    Some(match (only, pools.is_empty()) {
        (Some(name), true) => complained(1, format!("cannot open '{name}': no such pool\n")),
        _ => envelope("zpool status", "pools", &Value::Object(pools)),
    })
}

fn status(state: &State, pool: &Imported) -> Value {
    let config = &pool.config;
    let whole = pool.state(&state.disks);
    let errors = json!({"read_errors": 0, "write_errors": 0, "checksum_errors": 0});
    let space = json!({"alloc_space": allocated(pool), "total_space": config.asize, "def_space": config.asize});
    let vdev = |name: &str, fields: Value, parts: &[&Value]| {
        let mut all = Map::from_iter([("name".to_owned(), json!(name)), ("class".to_owned(), json!("normal"))]);
        for part in parts.iter().copied().chain([&fields]) {
            all.extend(part.as_object().cloned().unwrap_or_default());
        }
        Value::Object(all)
    };
    let leaf = |guid: u64, path: &str| {
        let health = pool.health(guid, &state.disks);
        let gone = health == Health::Unavailable;
        let name = path.rsplit('/').next();
        let mut fields = json!({"vdev_type": "disk", "guid": guid, "path": path, "devid": name,
                                "phys_path": state.phys_path(path), "state": health.in_json(),
                                "rep_dev_size": config.asize, "slow_ios": 0});
        if let Some(fields) = fields.as_object_mut() {
            if gone {
                fields.extend([("not_present".to_owned(), json!(1)), ("was".to_owned(), json!(path))]);
            } else {
                fields.insert("phys_space".to_owned(), json!(config.asize));
            }
        }
        let name = if gone { guid.to_string() } else { path.to_owned() };
        let top = (config.legs.len() == 1).then_some(&space);
        let parts: Vec<&Value> = [&errors].into_iter().chain(top).collect();
        (name.clone(), vdev(&name, fields, &parts))
    };
    let legs: Map<String, Value> = config.legs.iter().map(|leg| leaf(leg.guid, &leg.path)).collect();
    let top = match config.legs.len() {
        1 => Value::Object(legs),
        _ => {
            let fields = json!({"vdev_type": "mirror", "guid": config.mirror_guid, "state": whole,
                                "rep_dev_size": config.asize, "vdevs": legs});
            json!({"mirror-0": vdev("mirror-0", fields, &[&errors, &space])})
        }
    };
    let fields = json!({"vdev_type": "root", "guid": config.guid, "state": whole, "vdevs": top});
    let root = vdev(&config.name, fields, &[&errors, &space]);
    let mut shown = json!({
        "name": config.name, "state": whole, "pool_guid": config.guid, "txg": config.txg,
        "spa_version": 5000, "zpl_version": 5, "vdevs": {config.name.clone(): root}, "error_count": 0,
    });
    // ZFS shows only the last scan, of either kind.
    let scans = [("SCRUB", &pool.contents.scrub), ("RESILVER", &pool.resilver)].into_iter();
    let scans = scans.filter_map(|(function, scan)| Some((function, scan.as_ref()?)));
    let last = scans.max_by_key(|(_, scan)| scan.start_s);
    if let (Some((function, last)), Some(shown)) = (last, shown.as_object_mut()) {
        shown.insert(
            "scan_stats".to_owned(),
            scan(function, last, state.clock.now_ms() / 1000),
        );
    }
    if let (Some((status, action, id)), Some(shown)) = (trouble(state, pool), shown.as_object_mut()) {
        let info = format!("https://openzfs.github.io/openzfs-docs/msg/{id}");
        let words = [
            ("status", status),
            ("action", action),
            ("msgid", id),
            ("moreinfo", info.as_str()),
        ];
        shown.extend(words.map(|(key, text)| (key.to_owned(), json!(text))));
    }
    shown
}

fn scan(function: &str, scrub: &Scrub, now_s: u64) -> Value {
    let whole = 210_608_128;
    let over = !scrub.runs(now_s);
    let done = whole * now_s.clamp(scrub.start_s, scrub.end_s).saturating_sub(scrub.start_s)
        / scrub.end_s.saturating_sub(scrub.start_s).max(1);
    json!({"function": function, "state": if over { "FINISHED" } else { "SCANNING" }, "start_time": scrub.start_s,
           "end_time": if over { scrub.end_s } else { 0 }, "to_examine": whole, "examined": whole, "skipped": 0,
           "processed": 0, "errors": 0, "bytes_per_scan": 0, "pass_start": scrub.start_s, "scrub_pause": 0,
           "scrub_spent_paused": 0, "issued_bytes_per_scan": done, "issued": done})
}

/// Status, action and message id of a pool with a problem.
fn trouble(state: &State, pool: &Imported) -> Option<(&'static str, &'static str, &'static str)> {
    let healths = pool.config.legs.iter().map(|leg| pool.health(leg.guid, &state.disks));
    let worst = healths.rev().find(|health| *health != Health::Online)?;
    if pool.online(&state.disks) == 0 {
        return Some((
            "One or more devices are faulted in response to IO failures.\n",
            "Make sure the affected devices are connected, then run 'zpool clear'.\n",
            "ZFS-8000-HC",
        ));
    }
    Some(match worst {
        Health::Removed => (
            "One or more devices have been removed.\n\tSufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.\n",
            "Online the device using zpool online' or replace the device with\n\t'zpool replace'.\n",
            "ZFS-8000-3C",
        ),
        Health::Unavailable | Health::Online => (
            "One or more devices could not be used because the label is missing or\n\tinvalid.  Sufficient replicas exist for the pool to continue\n\tfunctioning in a degraded state.\n",
            "Replace the device using 'zpool replace'.\n",
            "ZFS-8000-4J",
        ),
    })
}

/// Allocated bytes: the size of the files and some for each dataset.
pub(super) fn allocated(pool: &Imported) -> u64 {
    let datasets = pool.contents.datasets.iter();
    datasets.map(|dataset| dataset.files.size() + 98_304).sum()
}
