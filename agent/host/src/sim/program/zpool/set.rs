use super::{complained, printed, write_cache};
use crate::Output;
use crate::sim::state::State;

/// `zpool set NAME=VALUE POOL`.
pub(super) fn run(state: &mut State, property: &str, name: &str) -> Option<Output> {
    let (key, value) = property.split_once('=')?;
    let now_s = state.clock.now_ms() / 1000;
    let Some(pool) = state.kernel.pools.iter_mut().find(|pool| pool.config.name == name) else {
        return Some(complained(1, format!("cannot open '{name}': no such pool\n")));
    };
    match key {
        "cachefile" => pool.cached = value != "none",
        "readonly" => {
            let why = format!("cannot set property for '{name}': property '{key}' can only be set at import time\n");
            return Some(complained(1, why));
        }
        "comment" => value.clone_into(&mut pool.config.comment),
        "ashift" | "autotrim" => {}
        _ => return None,
    }
    if key != "cachefile" {
        pool.contents.properties.insert(key.to_owned(), value.to_owned());
        pool.sync(&mut state.disks, now_s);
    }
    write_cache(state);
    Some(printed(""))
}
