mod create;
mod destroy;
mod diff;
mod get;
mod hold;
mod list;
mod mount;
mod property;
mod rename;
mod snapshot;

use serde_json::json;

use super::zpool::{VERSION, cannot_load};
use super::{complained, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;

pub(in crate::sim) use mount::all as mount_all;
pub(super) use mount::one as mount;

pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    if !matches!(
        args,
        ["version", "-j"]
            | ["mount"]
            | ["mount", _]
            | [
                "list"
                    | "create"
                    | "get"
                    | "snapshot"
                    | "destroy"
                    | "hold"
                    | "holds"
                    | "release"
                    | "diff"
                    | "set"
                    | "inherit"
                    | "rename"
                    | "clone",
                ..
            ]
    ) {
        return Ok(None);
    }
    if let Some(answer) = cannot_load(state) {
        return Ok(Some(answer));
    }
    Ok(match args {
        ["version", "-j"] => Some(version()),
        ["mount"] => Some(mount::listed(state)),
        ["mount", "-a"] => Some(mount::all(state)),
        ["mount", name] => Some(mount::one(state, name)),
        ["list" | "get", "-Hp", "-t", "snapshot", ..] => snapshot::look(state, args),
        ["get", "-Hp", "-o", "value,source", name, dataset] => property::get(state, name, dataset),
        ["set", property, dataset] => property::set(state, property, dataset),
        ["rename", from, to] => rename::run(state, from, to),
        ["inherit", name, dataset] => property::inherit(state, name, dataset),
        ["clone", "-o", "mountpoint=none", snapshot, name] => property::clone(state, snapshot, name),
        ["snapshot", rest @ ..] => snapshot::take(state, rest)?,
        ["destroy", rest @ ..] => destroy::run(state, rest)?,
        [verb @ ("hold" | "release"), tag, snapshot] => hold::change(state, verb, tag, snapshot),
        ["holds", "-Hp", snapshots @ ..] => hold::listed(state, snapshots),
        ["diff", "-FHt", from, to] => diff::run(state, from, to),
        ["list", rest @ ..] => list::run(state, rest),
        ["get", rest @ ..] => get::run(state, rest),
        ["create", rest @ ..] => create::run(state, rest)?,
        _ => None,
    })
}

fn version() -> Output {
    let output = json!({"command": "zfs version", "vers_major": 0, "vers_minor": 1});
    let versions = json!({"userland": format!("zfs-{VERSION}"), "kernel": format!("zfs-kmod-{VERSION}")});
    printed(format!(
        "{}\n",
        json!({"output_version": output, "zfs_version": versions})
    ))
}

/// The index of the imported pool that contains a dataset.
fn pool_of(state: &State, dataset: &str) -> Option<usize> {
    let pool = dataset.split('/').next();
    state
        .kernel
        .pools
        .iter()
        .position(|one| Some(one.config.name.as_str()) == pool)
}

fn parent(dataset: &str) -> Option<&str> {
    dataset.rsplit_once('/').map(|(parent, _)| parent)
}

fn no_such(name: &str) -> Output {
    complained(1, format!("cannot open '{name}': dataset does not exist\n"))
}
