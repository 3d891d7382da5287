use serde_json::json;

use super::{complained, printed};
use crate::Output;
use crate::sim::disk::signature;
use crate::sim::state::State;

/// `wipefs --no-act --json DEVICE`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["--no-act", "--json", path] = args else {
        return None;
    };
    let Some(device) = state.device(path) else {
        return Some(complained(
            1,
            format!("wipefs: error: {path}: probing initialization failed: No such file or directory\n"),
        ));
    };
    let bytes = &state.disks[device.disk].bytes;
    let mut found = signature::find(bytes, device.start, device.size);
    if device.partition.is_none() {
        found.extend(signature::tables(bytes));
    }
    let name = path.rsplit('/').next();
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            json!({"device": name, "offset": format!("{:#x}", one.offset), "type": one.kind,
                   "uuid": one.uuid, "label": one.label})
        })
        .collect();
    Some(printed(format!("{}\n", json!({"signatures": rows}))))
}
