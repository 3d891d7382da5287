use super::{complained, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;

/// `blkdiscard --zeroout DEVICE`: from the start to the end; power can fail in the middle.
pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let ["--zeroout", path] = args else { return Ok(None) };
    let Some(device) = state.device(path) else {
        return Ok(Some(complained(
            1,
            format!("blkdiscard: cannot open {path}: No such file or directory\n"),
        )));
    };
    let around = state.devices().into_iter().filter(|one| one.disk == device.disk);
    let mut held = around.filter(|one| device.partition.is_none() || one.name == device.name);
    if held.any(|one| state.is_held(&one)) || state.pool_on(&device).is_some() {
        return Ok(Some(complained(
            1,
            format!("blkdiscard: cannot open {path}: Device or resource busy\n"),
        )));
    }
    let mib = 1 << 20;
    let half = device.size / 2 / mib * mib;
    let mut done = 0;
    for upto in [mib.min(half), half, device.size] {
        state.disks[device.disk].bytes.clear(device.start + done, upto - done);
        done = upto;
        state.power.point()?;
    }
    Ok(Some(printed("")))
}
