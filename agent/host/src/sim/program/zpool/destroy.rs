use super::{Answer, complained, printed, write_cache};
use crate::sim::power::Gone;
use crate::sim::state::State;
use crate::sim::zfs::PoolState;

pub(super) fn export(state: &mut State, name: &str) -> Answer {
    leave(state, name, PoolState::Exported)
}

pub(super) fn destroy(state: &mut State, name: &str) -> Answer {
    leave(state, name, PoolState::Destroyed)
}

fn leave(state: &mut State, name: &str, end: PoolState) -> Result<crate::Output, Gone> {
    let Some(at) = state.kernel.pools.iter().position(|pool| pool.config.name == name) else {
        return Ok(complained(1, format!("cannot open '{name}': no such pool\n")));
    };
    let mut pool = state.kernel.pools.remove(at);
    pool.config.state = end;
    pool.sync(&mut state.disks, state.clock.now_ms() / 1000);
    let ours = |source: &str| source == name || source.starts_with(&format!("{name}/"));
    state
        .kernel
        .mounted
        .retain(|mount| mount.kind != "zfs" || !ours(&mount.source));
    write_cache(state);
    state.post(match end {
        PoolState::Destroyed => "sysevent.fs.zfs.pool_destroy",
        _ => "sysevent.fs.zfs.pool_export",
    });
    Ok(printed(""))
}
