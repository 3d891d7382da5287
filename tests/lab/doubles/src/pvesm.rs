//! The double of `pvesm`: storages of type `dir` and `zfspool`. It calls the machine's own `zfs` and `zpool`.

pub mod add;
pub mod set;
pub mod usage;
pub mod volumes;
mod zfs;

use crate::call::{Call, Fault};
use crate::commands::Program;
use crate::storage_cfg::{self, Storage};

const PROGRAM: Program = Program {
    name: "pvesm",
    usage: include_str!("../usage/pvesm.txt"),
    aliases: &[],
    options,
};

fn options(command: &str) -> &'static str {
    match command {
        "add" => {
            "path pool content nodes disable shared sparse blocksize mountpoint is_mountpoint mkdir create-base-path \
             create-subdirs prune-backups priority preallocation format server export options"
        }
        "set" => {
            "pool content nodes disable shared sparse blocksize mountpoint is_mountpoint mkdir create-base-path \
             create-subdirs prune-backups preallocation format options delete digest"
        }
        "status" => "content enabled format storage target",
        "list" => "content vmid",
        "alloc" => "format",
        _ => "",
    }
}

pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    let found = PROGRAM.find(words)?;
    match found.command.as_str() {
        "add" => add::add(call, &found),
        "set" => set::set(call, &found),
        "remove" => set::remove(call, &found),
        "status" => usage::status(call, &found),
        "list" => volumes::list(call, &found),
        "path" => volumes::path(call, &found),
        "alloc" => volumes::alloc(call, &found),
        "free" => volumes::free(call, &found),
        "scan zfs" => zfs::scan(call),
        other => Err(Fault::died(format!("double of pvesm {other}: not built yet"))),
    }
}

/// The storage of this name.
pub fn storage(call: &Call, id: &str) -> Result<Storage, Fault> {
    let mut all = storage_cfg::load(call).into_iter();
    all.find(|s| s.id == id)
        .ok_or_else(|| Fault::died(format!("storage '{id}' does not exist")))
}
