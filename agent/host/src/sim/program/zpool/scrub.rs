use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;
use crate::sim::zfs::Scrub;

/// How long a scrub takes, in seconds by the machine's clock.
const TAKES_S: u64 = 600;

/// `zpool scrub POOL`.
pub(super) fn run(state: &mut State, name: &str) -> Output {
    let now_s = state.clock.now_ms() / 1000;
    let Some(pool) = state.kernel.pools.iter_mut().find(|pool| pool.config.name == name) else {
        return complained(1, format!("cannot open '{name}': no such pool\n"));
    };
    if pool.contents.scrub.as_ref().is_some_and(|scrub| scrub.runs(now_s)) {
        let text = format!("cannot scrub {name}: currently scrubbing; use 'zpool scrub -s' to cancel scrub\n");
        return complained(1, text);
    }
    pool.contents.scrub = Some(Scrub {
        start_s: now_s,
        end_s: now_s + TAKES_S,
    });
    pool.sync(&mut state.disks, now_s);
    state.post("sysevent.fs.zfs.scrub_start");
    printed("")
}
