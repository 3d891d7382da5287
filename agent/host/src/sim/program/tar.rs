use std::path::Path;

use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;
use crate::tar;

/// tar below prlimit. The archive is the files one after the other, each with its path in front, and is not compressed.
/// The texts are those of tar 1.34.
pub(super) fn run(state: &mut State, args: &[&str]) -> Option<Output> {
    if args != tar::etc_command().args {
        return None;
    }
    let mut archive = Vec::new();
    let without = Path::new(crate::pmxcfs::PATH);
    let etc = state
        .os
        .files
        .all()
        .filter(|(path, _)| path.starts_with("/etc") && !path.starts_with(without));
    for (path, bytes) in etc {
        archive.extend_from_slice(format!("{}\n", path.display()).as_bytes());
        archive.extend_from_slice(bytes);
        archive.push(b'\n');
    }
    let most = usize::try_from(tar::MOST_BYTES).unwrap_or(usize::MAX);
    let too_large = archive.len() > most;
    archive.truncate(most);
    state.os.files.put(tar::ARCHIVE, archive);
    Some(match too_large {
        true => complained(
            2,
            format!(
                "File size limit exceeded\ntar: {}: Cannot write: Broken pipe\ntar: Child returned status 153\ntar: \
                 Error is not recoverable: exiting now\n",
                tar::ARCHIVE
            ),
        ),
        false => printed(""),
    })
}
