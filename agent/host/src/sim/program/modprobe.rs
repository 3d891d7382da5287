use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;

/// `modprobe zfs`.
pub(super) fn run(state: &mut State, args: &[&str]) -> Option<Output> {
    let ["zfs"] = args else { return None };
    if state.load_zfs() {
        return Some(printed(""));
    }
    let release = state.release();
    Some(complained(
        1,
        format!("modprobe: FATAL: Module zfs not found in directory /lib/modules/{release}\n"),
    ))
}
