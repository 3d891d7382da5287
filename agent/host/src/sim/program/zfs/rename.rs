use super::{complained, mount, no_such, parent, pool_of, printed};
use crate::Output;
use crate::sim::state::State;

/// `zfs rename OLD NEW`: mounted datasets are remounted under the new name.
pub(super) fn run(state: &mut State, from: &str, to: &str) -> Option<Output> {
    let Some(at) = pool_of(state, from).filter(|at| state.kernel.pools[*at].contents.dataset(from).is_some()) else {
        return Some(no_such(from));
    };
    let contents = &state.kernel.pools[at].contents;
    if contents.dataset(to).is_some() {
        return Some(complained(
            1,
            format!("cannot rename '{from}': dataset already exists\n"),
        ));
    }
    if parent(to).is_none_or(|above| contents.dataset(above).is_none()) {
        return Some(complained(1, format!("cannot create '{to}': parent does not exist\n")));
    }
    let renamed = |name: &str| {
        let rest = name.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
    };
    let mut again = Vec::new();
    state.kernel.mounted.retain(|one| match renamed(&one.source) {
        Some(name) if one.kind == "zfs" => {
            again.push(name);
            false
        }
        _ => true,
    });
    let now_s = state.clock.now_ms() / 1000;
    let pool = &mut state.kernel.pools[at];
    for dataset in &mut pool.contents.datasets {
        if let Some(name) = renamed(&dataset.name) {
            dataset.name = name;
        }
    }
    pool.contents.datasets.sort_by(|a, b| a.name.cmp(&b.name));
    pool.sync(&mut state.disks, now_s);
    for name in again {
        mount::unless_off(state, &name);
    }
    Some(printed(""))
}
