mod create;
mod destroy;
mod get;
mod import;
mod labelclear;
mod list;
mod listing;
mod scrub;
mod set;
mod status;

use serde_json::{Value, json};

use super::{Answer, complained, printed};
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;

pub(in crate::sim) use import::from_cache as import_from_cache;

pub(super) const VERSION: &str = "2.3.9-0+deb13u1";

/// `zpool` and `zfs` load the module when root runs them; an error when there is none.
pub(super) fn cannot_load(state: &mut State) -> Option<Output> {
    (!state.load_zfs()).then(|| complained(1, "Failed to initialize the libzfs library.\n"))
}

/// The outer object of all JSON output of `zpool` and `zfs`.
pub(super) fn envelope(command: &str, key: &str, value: &Value) -> Output {
    let version = json!({"command": command, "vers_major": 0, "vers_minor": 1});
    printed(format!("{}\n", json!({"output_version": version, key: value})))
}

pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let (with_more, with_one) = (
        ["create", "import", "status", "get", "list", "set"],
        ["export", "destroy", "labelclear", "scrub"],
    );
    let known =
        matches!(args, [verb, ..] if with_more.contains(verb)) || matches!(args, [verb, _] if with_one.contains(verb));
    if !known {
        return Ok(None);
    }
    if let Some(answer) = cannot_load(state) {
        return Ok(Some(answer));
    }
    Ok(match args {
        ["create", rest @ ..] => create::run(state, rest)?,
        ["import"] | ["import", "-d", "/dev/disk/by-id"] => Some(listing::run(state)),
        ["import", rest @ ..] => import::run(state, rest)?,
        ["status", rest @ ..] => status::run(state, rest),
        ["get", rest @ ..] => get::run(state, rest),
        ["list", rest @ ..] => list::run(state, rest),
        ["export", name] => Some(destroy::export(state, name)?),
        ["destroy", name] => Some(destroy::destroy(state, name)?),
        ["set", property, name] => set::run(state, property, name),
        ["scrub", name] => Some(scrub::run(state, name)),
        ["labelclear", device] => Some(labelclear::run(state, device)?),
        _ => None,
    })
}

/// Writes /etc/zfs/zpool.cache: the guids of all imported pools without `cachefile=none`, in the machine's byte order.
/// The real file holds them among the rest of each pool's configuration.
pub(super) fn write_cache(state: &mut State) {
    let cached = state.kernel.pools.iter().filter(|pool| pool.cached);
    let bytes: Vec<u8> = cached.flat_map(|pool| pool.config.guid.to_ne_bytes()).collect();
    if bytes.is_empty() {
        state.os.files.remove(std::path::Path::new("/etc/zfs/zpool.cache"));
    } else {
        state.os.files.put("/etc/zfs/zpool.cache", bytes);
    }
}
