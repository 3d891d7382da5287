use std::path::Path;

use super::{complained, no_such, pool_of, printed};
use crate::Output;
use crate::sim::state::{Mount, State};

/// `zfs mount`: lists the mounts.
pub(super) fn listed(state: &State) -> Output {
    let mounted = state.kernel.mounted.iter().filter(|mount| mount.kind == "zfs");
    printed(
        mounted
            .map(|mount| format!("{:30}  {}\n", mount.source, mount.target))
            .collect::<String>(),
    )
}

/// `zfs mount -a`, as zfs-mount.service runs it.
pub(in crate::sim) fn all(state: &mut State) -> Output {
    let datasets = state.kernel.pools.iter().flat_map(|pool| &pool.contents.datasets);
    let names: Vec<String> = datasets.map(|dataset| dataset.name.clone()).collect();
    let mut complaints = String::new();
    for name in names {
        if !is_mounted(state, &name) && property(state, &name, "canmount") == "on" {
            complaints.push_str(&unless_off(state, &name).stderr);
        }
    }
    if complaints.is_empty() {
        printed("")
    } else {
        complained(1, complaints)
    }
}

/// After `zfs create` and `zpool create`: a dataset that is not to be mounted is no error.
pub(super) fn unless_off(state: &mut State, name: &str) -> Output {
    let nowhere = ["none", "legacy"].contains(&property(state, name, "mountpoint").as_str());
    if nowhere || property(state, name, "canmount") != "on" {
        return printed("");
    }
    one(state, name)
}

/// After `zfs set mountpoint=…`: remounts the dataset there, and those below that inherit it and were mounted.
pub(super) fn follow(state: &mut State, name: &str) {
    let below = format!("{name}/");
    let moved: Vec<Mount> = state
        .kernel
        .mounted
        .iter()
        .filter(|mount| mount.kind == "zfs")
        .cloned()
        .collect();
    let moved = moved.into_iter().filter(|mount| {
        let ours = mount.source == name || mount.source.starts_with(&below);
        ours && property(state, &mount.source, "mountpoint") != mount.target
    });
    let mut sources: Vec<String> = moved.map(|mount| mount.source).collect();
    state.kernel.mounted.retain(|mount| !sources.contains(&mount.source));
    if !sources.iter().any(|source| source == name) && !is_mounted(state, name) {
        sources.insert(0, name.to_owned());
    }
    for source in sources {
        unless_off(state, &source);
    }
}

/// `zfs mount NAME`.
pub(in crate::sim) fn one(state: &mut State, name: &str) -> Output {
    let exists = pool_of(state, name).is_some_and(|at| state.kernel.pools[at].contents.dataset(name).is_some());
    if !exists {
        return no_such(name);
    }
    let target = property(state, name, "mountpoint");
    let refused = |why: &str| complained(1, format!("cannot mount '{name}': {why}\n"));
    if is_mounted(state, name) {
        return refused("filesystem already mounted");
    }
    if target == "none" {
        return refused("no mountpoint set");
    }
    if target == "legacy" {
        return refused("legacy mountpoint\nuse mount(8) to mount this filesystem");
    }
    if property(state, name, "canmount") == "off" {
        return refused("'canmount' property is set to 'off'");
    }
    if state.list(Path::new(&target)).is_err()
        && state
            .change(Path::new(&target), |files, path| files.folder(path))
            .is_err()
    {
        return complained(
            1,
            format!("cannot mount '{target}': failed to create mountpoint: Operation not permitted\n"),
        );
    }
    state.kernel.mounted.push(Mount::new(name, target, "zfs"));
    printed("")
}

fn is_mounted(state: &State, name: &str) -> bool {
    state
        .kernel
        .mounted
        .iter()
        .any(|mount| mount.source == name && mount.kind == "zfs")
}

fn property(state: &State, dataset: &str, name: &str) -> String {
    let pool = pool_of(state, dataset).map(|at| &state.kernel.pools[at]);
    pool.map(|pool| pool.contents.property(dataset, name).0)
        .unwrap_or_default()
}
