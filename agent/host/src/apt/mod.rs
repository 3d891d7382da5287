//! apt, Debian's package manager: its sources, its lists, and what it would install.

mod change;
mod lists;
mod policy;
mod sources;
mod trouble;

use std::time::Duration;

pub use change::{
    Change, Refusal, Room, Start, install_command, progress, room, room_command, simulate, simulate_command,
};
#[cfg(feature = "sim")]
pub(crate) use lists::begin;
pub use lists::{LISTS, List, lists};
pub use policy::{Policy, Version, parse as parse_policy, policy};
pub use sources::{PARTS, Source, parse as parse_source, sources, switched_off};
pub use trouble::{Trouble, trouble};

use crate::Command;

/// `apt-get update`, which fetches the lists of all sources.
///
/// Without the first option it exits with 0 although a source failed. The others put right what a machine's own
/// configuration may allow: lists without a signature, and lists that a mirror has kept for too long. Even so it exits
/// with 0 when a source has no such component, and leaves a file `InRelease` whose signature is wrong: that a list of
/// packages is there is the only proof.
pub fn update() -> Command {
    let options = [
        "APT::Update::Error-Mode=any",
        "Acquire::AllowInsecureRepositories=false",
        "Acquire::AllowDowngradeToInsecureRepositories=false",
        "Acquire::AllowWeakRepositories=false",
        "Acquire::Check-Date=true",
        "Acquire::Check-Valid-Until=true",
    ];
    let options = options.into_iter().flat_map(|option| ["-o", option]);
    // Debian's lists are some 10 MB, and an unreachable mirror is tried for 30 s, several times.
    let time = Duration::from_secs(1800);
    Command::change("apt-get")
        .arg("-q")
        .args(options)
        .arg("update")
        .timeout(time)
}
