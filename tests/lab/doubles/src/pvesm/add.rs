//! `pvesm add`: checks the parameters, activates the storage, and writes it only then.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::set::plain;
use super::zfs;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::lock;
use crate::storage_cfg::{self, Storage};

const TYPES: &str = "btrfs, cephfs, cifs, dir, esxi, iscsi, iscsidirect, lvm, lvmthin, nfs, pbs, rbd, zfs, zfspool";
const CONTENT: [&str; 8] = [
    "images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none",
];
const OLD_MKDIR: &str = "is deprecated and will be removed in Proxmox VE 9. Use 'create-base-path' or 'create-subdirs' \
                         instead.";

pub fn add(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let problems = problems(found)?;
    if !problems.is_empty() {
        return Err(found.refuse(&problems));
    }
    let kind = found.required("type")?.to_owned();
    let id = found.required("storage")?.to_owned();
    match kind.as_str() {
        "dir" => _ = found.required("path")?,
        "zfspool" => _ = found.required("pool")?,
        _ => {}
    }
    let fields = found
        .arguments
        .all()
        .filter(|(name, _)| !matches!(*name, "type" | "storage"));
    let fields = fields
        .map(|(name, value)| (name.to_owned(), plain(name, value)))
        .collect();
    let new = Storage { kind, id, fields };
    create(call, new).map_err(|fault| fault.while_doing("create storage"))
}

/// (parameter, problem), sorted by parameter.
fn problems(found: &Found) -> Result<Vec<(&'static str, String)>, Fault> {
    let mut all = Vec::new();
    if let Some(problem) = found.arguments.get("content").and_then(wrong_content) {
        all.push(("content", problem));
    }
    if found.arguments.get("path").is_some_and(|path| !path.starts_with('/')) {
        all.push((
            "path",
            "invalid format - value does not look like a valid absolute path\n".to_owned(),
        ));
    }
    let id = found.required("storage")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.len() < 2 {
        all.push((
            "storage",
            format!("invalid format - storage ID '{id}' cannot be shorter than 2 characters\n"),
        ));
    } else if !id.chars().all(fits) || !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        all.push((
            "storage",
            format!("invalid format - storage ID '{id}' contains illegal characters\n"),
        ));
    }
    let kind = found.required("type")?;
    if !TYPES.split(", ").any(|known| known == kind) {
        all.push((
            "type",
            format!("value '{kind}' does not have a value in the enumeration '{TYPES}'"),
        ));
    }
    Ok(all)
}

pub fn wrong_content(content: &str) -> Option<String> {
    let wrong = content.split(',').find(|kind| !CONTENT.contains(kind))?;
    Some(format!("invalid format - invalid content type '{wrong}'\n"))
}

/// Activates a storage, and writes it only then.
pub fn create(call: &mut Call, new: Storage) -> Result<(), Fault> {
    let _lock = lock::take(call, "file-storage_cfg")?;
    let mut all = storage_cfg::load(call);
    if all.iter().any(|storage| storage.id == new.id) {
        return Err(Fault::died(format!("storage ID '{}' already defined", new.id)));
    }
    if new.fields.contains_key("mkdir") {
        call.err += &format!("NOTE: The 'mkdir' option set for '{}' {OLD_MKDIR}\n", new.id);
    }
    match new.kind.as_str() {
        "dir" => activate_dir(call, &new)?,
        "zfspool" => {
            zfs::look_at_mountpoint(call, &new);
            zfs::activate(call, &new)?;
        }
        "nfs" | "cifs" => return Err(Fault::new(1, format!("storage '{}' is not online", new.id))),
        other => return Err(Fault::died(format!("double of pvesm add {other}: not built yet"))),
    }
    all.push(new);
    storage_cfg::save(call, &all)
}

/// A folder that must be a mount point is refused while nothing is mounted there; others are made.
fn activate_dir(call: &Call, new: &Storage) -> Result<(), Fault> {
    let path = new.get("path");
    let place = call.place(path);
    if is_true(new.get("is_mountpoint")) && !is_mounted(&place) {
        // The error number that is left over: whether the folder above is there.
        let code = if place.parent().is_some_and(std::path::Path::exists) {
            255
        } else {
            2
        };
        let problem = "directory is expected to be a mount point but is not mounted";
        return Err(Fault::new(
            code,
            format!("unable to activate storage '{}' - {problem}: '{path}'", new.id),
        ));
    }
    let kept = ["mkdir", "create-base-path"]
        .iter()
        .any(|name| matches!(new.get(name), "0" | "no" | "off"));
    if !kept {
        fs::create_dir_all(&place).map_err(|e| Fault::died(format!("mkdir {path}: {e}")))?;
    }
    let missing = || {
        Fault::new(
            2,
            format!(
                "unable to activate storage '{}' - directory '{path}' does not exist",
                new.id
            ),
        )
    };
    if place.is_dir() { Ok(()) } else { Err(missing()) }
}

pub fn is_true(value: &str) -> bool {
    matches!(value, "1" | "yes" | "on" | "true")
}

/// Another device than the folder above it.
pub fn is_mounted(place: &std::path::Path) -> bool {
    let above = place.parent().and_then(|above| fs::metadata(above).ok());
    let own = fs::metadata(place).ok();
    own.zip(above).is_some_and(|(own, above)| own.dev() != above.dev())
}
