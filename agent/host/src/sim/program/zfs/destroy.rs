use std::collections::BTreeSet;

use super::{complained, pool_of, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;

/// `zfs destroy [-nvp] DATASET@NAME,NAME…`: all of them or none.
pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let (dry, target) = match args {
        ["-nvp", target] => (true, *target),
        [target] => (false, *target),
        _ => return Ok(None),
    };
    let Some((dataset, names)) = target.split_once('@') else {
        return Ok(None);
    };
    let names: Vec<String> = names.split(',').map(|name| format!("{dataset}@{name}")).collect();
    let at = pool_of(state, dataset);
    let contents = at.map(|at| &state.kernel.pools[at].contents);
    let found: Vec<&String> = names
        .iter()
        .filter(|full| contents.is_some_and(|contents| contents.snap(full).is_some()))
        .collect();
    let (Some(at), Some(contents), false) = (at, contents, found.is_empty()) else {
        let text = "could not find any snapshots to destroy; check snapshot names.\n";
        return Ok(Some(complained(1, text)));
    };
    let told: String = found.iter().map(|full| format!("destroy\t{full}\n")).collect();
    if let Some(cloned) = found.iter().find(|full| !contents.clones(full).is_empty()) {
        let clones: String = contents
            .clones(cloned)
            .iter()
            .map(|clone| format!("{clone}\n"))
            .collect();
        let text = format!(
            "cannot destroy '{cloned}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n{clones}"
        );
        let mut answer = complained(1, text);
        if dry {
            answer.stdout = told;
        }
        return Ok(Some(answer));
    }
    if dry {
        return Ok(Some(printed(told + "reclaim\t0\n")));
    }
    let held = |full: &&&String| contents.snap(full).is_some_and(|snap| !snap.holds.is_empty());
    if let Some(held) = found.iter().find(held) {
        let text =
            format!("cannot destroy snapshot {held}: it's being held. Run 'zfs holds -r {held}' to see holders.\n");
        return Ok(Some(complained(1, text)));
    }
    state.power.point()?;
    let gone: BTreeSet<&str> = names.iter().filter_map(|full| Some(full.split_once('@')?.1)).collect();
    let now_s = state.clock.now_ms() / 1000;
    let pool = &mut state.kernel.pools[at];
    pool.contents.drop_snaps(dataset, &gone);
    pool.sync(&mut state.disks, now_s);
    Ok(Some(printed("")))
}
