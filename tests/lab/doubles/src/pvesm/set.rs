//! `pvesm set` and `pvesm remove`.

use super::add::{is_true, wrong_content};
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::lock;
use crate::storage_cfg;

/// Settings of the type boolean in Proxmox's schema; `is_mountpoint` is none of them, it may be a path.
pub const BOOLEANS: [&str; 6] = [
    "create-base-path",
    "create-subdirs",
    "disable",
    "mkdir",
    "shared",
    "sparse",
];

pub fn set(call: &mut Call, found: &Found) -> Result<(), Fault> {
    if let Some(problem) = found.arguments.get("content").and_then(wrong_content) {
        return Err(found.refuse(&[("content", problem)]));
    }
    change(call, found).map_err(|fault| fault.while_doing("update storage"))
}

fn change(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let id = found.required("storage")?;
    let _lock = lock::take(call, "file-storage_cfg")?;
    let mut all = storage_cfg::load(call);
    let missing = || Fault::died(format!("storage '{id}' does not exist"));
    let storage = all.iter_mut().find(|s| s.id == id).ok_or_else(missing)?;
    if found
        .arguments
        .get("pool")
        .is_some_and(|pool| pool != storage.get("pool"))
    {
        return Err(Fault::died("can't change value of fixed parameter 'pool'"));
    }
    for name in found.arguments.get("delete").unwrap_or_default().split(',') {
        storage.fields.remove(name);
    }
    for (name, value) in found
        .arguments
        .all()
        .filter(|(name, _)| !matches!(*name, "storage" | "delete" | "digest"))
    {
        storage.fields.insert(name.to_owned(), plain(name, value));
    }
    if !storage.is_set("disable") {
        storage.fields.remove("disable");
    }
    storage_cfg::save(call, &all)
}

/// A value as the file has it: a boolean is 0 or 1.
pub fn plain(name: &str, value: &str) -> String {
    if BOOLEANS.contains(&name) {
        return u8::from(is_true(value)).to_string();
    }
    value.to_owned()
}

pub fn remove(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let id = found.required("storage")?;
    let removed = |call: &mut Call| {
        let _lock = lock::take(call, "file-storage_cfg")?;
        let mut all = storage_cfg::load(call);
        if !all.iter().any(|s| s.id == id) {
            return Err(Fault::died(format!("storage '{id}' does not exist")));
        }
        all.retain(|s| s.id != id);
        storage_cfg::save(call, &all)
    };
    removed(call).map_err(|fault| fault.while_doing("delete storage"))
}
