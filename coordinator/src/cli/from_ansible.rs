//! `heeler init --from-ansible`: reads the inventory, and shows what became of it.

use std::io::Read as _;
use std::path::Path;

use super::error::file;
use super::{CliError, Result};
use crate::ansible::{self, Fleet, MOST_BYTES};

/// Folders beside an inventory from which Ansible reads more variables.
const BESIDE: [&str; 2] = ["group_vars", "host_vars"];

/// Reads the inventory. Fails for another file than a text, and with all mistakes in it.
pub(super) fn read(path: &Path) -> Result<Fleet> {
    let about = std::fs::metadata(path).map_err(file("read", path))?;
    // Opening a pipe would wait for its other end.
    if !about.is_file() {
        let message = format!("--from-ansible {}: it is not a file", path.display());
        return Err(CliError::Usage(message).next("Name the inventory itself, such as hosts.ini."));
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(file("read", path))?;
    let most = MOST_BYTES as u64 + 1;
    opened.take(most).read_to_end(&mut bytes).map_err(file("read", path))?;
    let beside = BESIDE.into_iter().filter(|name| path.with_file_name(name).is_dir());
    let beside: Vec<&str> = beside.collect();
    ansible::read(&bytes, &beside).map_err(|mistakes| {
        let word = if mistakes.len() == 1 { "mistake" } else { "mistakes" };
        let all: Vec<_> = mistakes.iter().map(|mistake| format!("line {mistake}")).collect();
        let message = format!("{} has {} {word}; nothing was written", path.display(), mistakes.len());
        CliError::Other(message).next(all.join("\n"))
    })
}
