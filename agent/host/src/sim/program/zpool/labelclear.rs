use super::{Answer, complained, printed};
use crate::sim::device::Device;
use crate::sim::state::State;
use crate::sim::zfs::{Label, PoolState, label};

/// The pool that a device belongs to, if ZFS minds: `active`, `exported`, `potentially active` (`zpool_in_use`). Of a
/// destroyed pool it does not.
pub(super) fn user(state: &State, device: &Device) -> Option<(&'static str, String)> {
    let bytes = &state.disks[device.disk].bytes;
    let mut labels = label::read(bytes, device.start, device.size).into_iter().flatten();
    let Label { config, .. } = labels.find(|label| label.config.txg > 0)?;
    let imported = state.kernel.pools.iter().any(|pool| pool.config.guid == config.guid);
    match config.state {
        PoolState::Active if imported => Some(("active", config.name)),
        PoolState::Active => Some(("potentially active", config.name)),
        PoolState::Exported => Some(("exported", config.name)),
        PoolState::Destroyed => None,
    }
}

/// `zpool labelclear DEVICE`: of a whole disk that a pool was given, the first partition is meant.
pub(super) fn run(state: &mut State, path: &str) -> Answer {
    let Some(mut device) = state.device(path) else {
        return Ok(complained(
            1,
            format!("failed to find device {path}, try specifying absolute path instead\n"),
        ));
    };
    let mut shown = path.to_owned();
    if device.partition.is_none() {
        let first = state
            .devices()
            .into_iter()
            .find(|one| one.disk == device.disk && one.partition.is_some());
        if let Some(first) = first {
            shown = format!("{path}-part1");
            device = first;
        }
    }
    let bytes = &state.disks[device.disk].bytes;
    if label::read(bytes, device.start, device.size)
        .iter()
        .all(Option::is_none)
    {
        return Ok(complained(255, format!("failed to clear label for {shown}\n")));
    }
    match user(state, &device) {
        Some(("active", pool)) => {
            return Ok(complained(
                1,
                format!("{shown} is a member (ACTIVE) of pool \"{pool}\"\n"),
            ));
        }
        Some((how, pool)) => {
            let text =
                format!("use '-f' to override the following error:\n{shown} is a member of {how} pool \"{pool}\"\n");
            return Ok(complained(1, text));
        }
        None => {}
    }
    label::clear(&mut state.disks[device.disk].bytes, device.start, device.size);
    Ok(printed(""))
}
