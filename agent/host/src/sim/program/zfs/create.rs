use std::collections::BTreeMap;

use super::{complained, mount, parent, pool_of, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;
use crate::sim::tree::Tree;
use crate::sim::zfs::Dataset;

/// `zfs create [-o PROPERTY=VALUE]… NAME`: creates, then mounts.
pub(super) fn run(state: &mut State, mut args: &[&str]) -> Result<Option<Output>, Gone> {
    let mut properties = BTreeMap::new();
    let name = loop {
        match args {
            ["-o", property, rest @ ..] => {
                let Some((name, value)) = property.split_once('=') else {
                    return Ok(None);
                };
                properties.insert(name.to_owned(), value.to_owned());
                args = rest;
            }
            [name] if !name.starts_with('-') => break *name,
            _ => return Ok(None),
        }
    };
    if let Some(refusal) = refusal(state, name) {
        return Ok(Some(complained(1, refusal)));
    }
    let (guid, now_s) = (state.random.guid(), state.clock.now_ms() / 1000);
    let Some(at) = pool_of(state, name) else {
        return Ok(None);
    };
    let pool = &mut state.kernel.pools[at];
    pool.contents.datasets.push(Dataset {
        name: name.to_owned(),
        guid,
        createtxg: pool.config.txg,
        creation_s: now_s,
        properties,
        files: Tree::default(),
        snaps: Vec::new(),
        origin: None,
    });
    pool.contents.datasets.sort_by(|a, b| a.name.cmp(&b.name));
    pool.sync(&mut state.disks, now_s);
    state.power.point()?;
    let mounted = mount::unless_off(state, name);
    if mounted.ok() {
        return Ok(Some(printed("")));
    }
    let text = format!("{}filesystem successfully created, but not mounted\n", mounted.stderr);
    Ok(Some(complained(1, text)))
}

fn refusal(state: &State, name: &str) -> Option<String> {
    let pool = name.split('/').next().unwrap_or(name);
    let Some(at) = pool_of(state, name) else {
        return Some(format!("cannot create '{name}': no such pool '{pool}'\n"));
    };
    let contents = &state.kernel.pools[at].contents;
    if contents.dataset(name).is_some() {
        return Some(format!("cannot create '{name}': dataset already exists\n"));
    }
    let orphan = parent(name).is_none_or(|parent| contents.dataset(parent).is_none());
    orphan.then(|| format!("cannot create '{name}': parent does not exist\n"))
}
