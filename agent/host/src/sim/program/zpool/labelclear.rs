use super::{Answer, complained, printed};
use crate::sim::device::Device;
use crate::sim::state::State;
use crate::sim::zfs::{Label, PoolState, label};

/// The state of a pool on a device that ZFS refuses to clear (`zpool_in_use`): `active`, `exported` or `potentially
/// active`. None for a destroyed pool, which it clears.
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

/// `zpool labelclear DEVICE`, for a partition. A pool on a whole disk has its labels in a partition, not on the disk
/// itself.
pub(super) fn run(state: &mut State, path: &str) -> Answer {
    let Some(device) = state.device(path) else {
        let text = format!("failed to find device {path}, try specifying absolute path instead\n");
        return Ok(complained(1, text));
    };
    let bytes = &state.disks[device.disk].bytes;
    let labels = label::read(bytes, device.start, device.size);
    if labels.iter().all(Option::is_none) {
        return Ok(complained(255, format!("failed to clear label for {path}\n")));
    }
    match user(state, &device) {
        Some(("active", pool)) => {
            // The real program prints the end of this line on stdout.
            let mut answer = printed("\n");
            (answer.code, answer.stderr) = (1, format!("{path} is a member (ACTIVE) of pool \"{pool}\""));
            return Ok(answer);
        }
        Some((how, pool)) => {
            let member = format!("{path} is a member of {how} pool \"{pool}\"\n");
            return Ok(complained(
                1,
                format!("use '-f' to override the following error:\n{member}"),
            ));
        }
        None => {}
    }
    label::clear(&mut state.disks[device.disk].bytes, device.start, device.size);
    Ok(printed(""))
}
