use std::collections::BTreeMap;

use super::{complained, mount, no_such, pool_of, printed};
use crate::Output;
use crate::sim::state::State;
use crate::sim::tree::Tree;
use crate::sim::zfs::Dataset;

/// `zfs get -Hp -o value,source NAME DATASET`, for a user property or `available`.
pub(super) fn get(state: &State, name: &str, dataset: &str) -> Option<Output> {
    let pool = pool_of(state, dataset).map(|at| &state.kernel.pools[at]);
    let Some(pool) = pool.filter(|pool| pool.contents.dataset(dataset).is_some()) else {
        return Some(no_such(dataset));
    };
    if name == "available" {
        let found = super::list::property(state, pool, pool.contents.dataset(dataset)?, name)?;
        return Some(printed(format!("{}\t-\n", found.get("value")?)));
    }
    let (value, kind, from) = pool.contents.property(dataset, name);
    let source = match kind {
        "LOCAL" => "local".to_owned(),
        "INHERITED" => format!("inherited from {from}"),
        _ => "-".to_owned(),
    };
    name.contains(':').then(|| printed(format!("{value}\t{source}\n")))
}

/// `zfs set NAME=VALUE DATASET`. A new mountpoint moves the mount.
pub(super) fn set(state: &mut State, property: &str, dataset: &str) -> Option<Output> {
    let (name, value) = property.split_once('=')?;
    let answer = change(state, dataset, |dataset| {
        dataset.properties.insert(name.to_owned(), value.to_owned());
        Some(())
    })?;
    match name {
        _ if !answer.ok() => {}
        "mountpoint" => mount::follow(state, dataset),
        "canmount" if value == "off" => state.kernel.mounted.retain(|mount| mount.source != dataset),
        _ => {}
    }
    Some(answer)
}

/// `zfs inherit NAME DATASET`.
pub(super) fn inherit(state: &mut State, name: &str, dataset: &str) -> Option<Output> {
    change(state, dataset, |dataset| {
        dataset.properties.remove(name);
        Some(())
    })
}

fn change(state: &mut State, name: &str, act: impl FnOnce(&mut Dataset) -> Option<()>) -> Option<Output> {
    let now_s = state.clock.now_ms() / 1000;
    let pool = pool_of(state, name).map(|at| &mut state.kernel.pools[at]);
    let found = pool.and_then(|pool| pool.contents.dataset_mut(name).map(act).map(|done| (done, name)));
    let Some((done, _)) = found else {
        return Some(no_such(name));
    };
    done?;
    let at = pool_of(state, name)?;
    state.kernel.pools[at].sync(&mut state.disks, now_s);
    Some(printed(""))
}

/// `zfs clone -o mountpoint=none SNAPSHOT NAME`.
pub(super) fn clone(state: &mut State, snapshot: &str, name: &str) -> Option<Output> {
    let (guid, now_s) = (state.random.guid(), state.clock.now_ms() / 1000);
    let at = pool_of(state, name)?;
    let pool = &mut state.kernel.pools[at];
    if pool.contents.snap(snapshot).is_none() {
        return Some(complained(
            1,
            format!("cannot open '{snapshot}': dataset does not exist\n"),
        ));
    }
    pool.contents.datasets.push(Dataset {
        name: name.to_owned(),
        guid,
        createtxg: pool.config.txg,
        creation_s: now_s,
        properties: BTreeMap::from([("mountpoint".to_owned(), "none".to_owned())]),
        files: Tree::default(),
        snaps: Vec::new(),
        origin: Some(snapshot.to_owned()),
    });
    pool.contents.datasets.sort_by(|a, b| a.name.cmp(&b.name));
    pool.sync(&mut state.disks, now_s);
    Some(printed(""))
}
