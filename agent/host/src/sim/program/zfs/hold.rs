use super::{complained, pool_of, printed};
use crate::Output;
use crate::sim::state::State;

/// `zfs hold TAG SNAPSHOT`, `zfs release TAG SNAPSHOT`.
pub(super) fn change(state: &mut State, verb: &str, tag: &str, full: &str) -> Option<Output> {
    let (dataset, name) = full.split_once('@')?;
    let now_s = state.clock.now_ms() / 1000;
    let refused = |why: &str| match verb {
        "hold" => complained(1, format!("cannot hold snapshot '{full}': {why}\n")),
        _ => complained(1, format!("cannot release hold from snapshot '{full}': {why}\n")),
    };
    let pool = pool_of(state, dataset).map(|at| &mut state.kernel.pools[at]);
    let Some(pool) = pool else {
        return Some(refused("dataset does not exist"));
    };
    let dataset = pool.contents.dataset_mut(dataset);
    let Some(snap) = dataset.and_then(|dataset| dataset.snaps.iter_mut().find(|snap| snap.name == name)) else {
        return Some(refused("dataset does not exist"));
    };
    let changed = match verb {
        "hold" if snap.holds.contains_key(tag) => return Some(refused("tag already exists on this dataset")),
        "hold" => snap.holds.insert(tag.to_owned(), now_s).is_none(),
        _ => snap.holds.remove(tag).is_some(),
    };
    if !changed {
        return Some(refused("no such tag on this dataset"));
    }
    pool.sync(&mut state.disks, now_s);
    Some(printed(""))
}

/// `zfs holds -Hp SNAPSHOT…`: a missing one is named, and the others are still listed.
pub(super) fn listed(state: &State, snapshots: &[&str]) -> Option<Output> {
    let (mut text, mut missing) = (String::new(), String::new());
    for full in snapshots {
        let dataset = full.split('@').next()?;
        let pool = pool_of(state, dataset).map(|at| &state.kernel.pools[at]);
        let Some(snap) = pool.and_then(|pool| pool.contents.snap(full)) else {
            missing += &format!("cannot open '{full}': dataset does not exist\n");
            continue;
        };
        let lines = snap.holds.iter();
        text.extend(lines.map(|(tag, since)| format!("{full}\t{tag}\t{since}\n")));
    }
    match missing.is_empty() {
        true => Some(printed(text)),
        false => Some(Output {
            stdout: text,
            ..complained(1, missing)
        }),
    }
}
