use std::collections::BTreeMap;

use super::{complained, no_such, pool_of, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;
use crate::sim::zfs::{Contents, Snap};

/// `zfs list -Hp -t snapshot -d 1 -s createtxg -o name,guid,createtxg,creation,used,userrefs,clones DATASET…`, and
/// `zfs get -Hp -t snapshot -d 1 [-s local] -o name,property,value[,source] NAME DATASET…`.
pub(super) fn look(state: &State, args: &[&str]) -> Option<Output> {
    match args {
        [
            "list",
            "-Hp",
            "-t",
            "snapshot",
            "-d",
            "1",
            "-s",
            "createtxg",
            "-o",
            columns,
            datasets @ ..,
        ] => (*columns == "name,guid,createtxg,creation,used,userrefs,clones").then(|| each(state, datasets, list)),
        [
            "get",
            "-Hp",
            "-t",
            "snapshot",
            "-d",
            "1",
            "-s",
            "local",
            "-o",
            "name,property,value",
            name,
            datasets @ ..,
        ] => Some(each(state, datasets, |contents, dataset| {
            marks(contents, dataset, name, true)
        })),
        [
            "get",
            "-Hp",
            "-t",
            "snapshot",
            "-d",
            "1",
            "-o",
            "name,property,value,source",
            name,
            datasets @ ..,
        ] => Some(each(state, datasets, |contents, dataset| {
            marks(contents, dataset, name, false)
        })),
        _ => None,
    }
}

fn each(state: &State, datasets: &[&str], show: impl Fn(&Contents, &str) -> Vec<(u64, String)>) -> Output {
    let mut lines = Vec::new();
    let mut answer = printed("");
    for dataset in datasets {
        let contents = pool_of(state, dataset).map(|at| &state.kernel.pools[at].contents);
        match contents.filter(|contents| contents.dataset(dataset).is_some()) {
            Some(contents) => lines.extend(show(contents, dataset)),
            None => {
                let missing = no_such(dataset);
                answer.code = missing.code;
                answer.stderr.push_str(&missing.stderr);
            }
        }
    }
    lines.sort();
    answer.stdout = lines.into_iter().map(|(_, line)| line + "\n").collect();
    answer
}

fn list(contents: &Contents, dataset: &str) -> Vec<(u64, String)> {
    let found = contents.dataset(dataset).into_iter().flat_map(|dataset| &dataset.snaps);
    let line = |snap: &Snap| {
        let full = format!("{dataset}@{}", snap.name);
        let clones = contents.clones(&full);
        let clones = if clones.is_empty() {
            "-".to_owned()
        } else {
            clones.join(",")
        };
        let (guid, txg, at) = (snap.guid, snap.createtxg, snap.creation_s);
        (
            txg,
            format!("{full}\t{guid}\t{txg}\t{at}\t0\t{}\t{clones}", snap.holds.len()),
        )
    };
    found.map(line).collect()
}

fn marks(contents: &Contents, dataset: &str, name: &str, local: bool) -> Vec<(u64, String)> {
    let found = contents.dataset(dataset).into_iter().flat_map(|dataset| &dataset.snaps);
    let line = |snap: &Snap| {
        let full = format!("{dataset}@{}", snap.name);
        let (value, source) = contents.mark(&full, name)?;
        match local {
            true if source != "local" => None,
            true => Some((0, format!("{full}\t{name}\t{value}"))),
            false => Some((snap.createtxg, format!("{full}\t{name}\t{value}\t{source}"))),
        }
    };
    found.filter_map(line).collect()
}

/// `zfs snapshot [-o PROPERTY=VALUE]… DATASET@NAME…`: all of them or none.
pub(super) fn take(state: &mut State, mut args: &[&str]) -> Result<Option<Output>, Gone> {
    let mut properties = BTreeMap::new();
    while let ["-o", property, rest @ ..] = args {
        let Some((name, value)) = property.split_once('=') else {
            return Ok(None);
        };
        properties.insert(name.to_owned(), value.to_owned());
        args = rest;
    }
    let split: Option<Vec<(&str, &str)>> = args.iter().map(|full| full.split_once('@')).collect();
    let Some(wanted) = split.filter(|wanted| !wanted.is_empty()) else {
        return Ok(None);
    };
    for (dataset, _) in &wanted {
        let contents = pool_of(state, dataset).map(|at| &state.kernel.pools[at].contents);
        if contents.is_none_or(|contents| contents.dataset(dataset).is_none()) {
            let usage = "usage:\n\tsnapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...\n\nFor the property list, run: zfs set|get\n\nFor the delegated permission list, run: zfs allow|unallow\n\nFor further help on a command or topic, run: zfs help [<topic>]\n";
            return Ok(Some(complained(2, no_such(dataset).stderr + usage)));
        }
    }
    let at = wanted.first().and_then(|(dataset, _)| pool_of(state, dataset));
    let Some(at) = at.filter(|at| wanted.iter().all(|(dataset, _)| pool_of(state, dataset) == Some(*at))) else {
        return Ok(None);
    };
    if state.kernel.pools[at].full {
        return Ok(Some(complained(1, "cannot create snapshots : out of space\n")));
    }
    let contents = &state.kernel.pools[at].contents;
    let there = args.iter().filter(|full| contents.snap(full).is_some());
    let refusal: String = there
        .map(|full| format!("cannot create snapshot '{full}': dataset already exists\n"))
        .collect();
    if !refusal.is_empty() {
        return Ok(Some(complained(1, refusal + "no snapshots were created\n")));
    }
    state.power.point()?;
    let now_s = state.clock.now_ms() / 1000;
    for (dataset, name) in &wanted {
        let guid = state.random.guid();
        let pool = &mut state.kernel.pools[at];
        let createtxg = pool.config.txg;
        if let Some(dataset) = pool.contents.dataset_mut(dataset) {
            dataset.snaps.push(Snap {
                name: (*name).to_owned(),
                guid,
                createtxg,
                creation_s: now_s,
                properties: properties.clone(),
                holds: BTreeMap::new(),
                files: dataset.files.clone(),
            });
        }
    }
    state.kernel.pools[at].sync(&mut state.disks, now_s);
    Ok(Some(printed("")))
}
