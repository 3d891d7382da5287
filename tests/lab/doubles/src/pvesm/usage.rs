//! How full each storage is, and `pvesm status`.

use super::{add, zfs};
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::storage_cfg::{self, Storage};

/// A storage with its space in bytes.
pub struct Usage {
    pub storage: Storage,
    pub is_enabled: bool,
    pub is_active: bool,
    pub total: u64,
    pub used: u64,
    pub available: u64,
}

/// Every storage of this node, by name. Storages that are enabled are activated first, as the real program does.
pub fn all(call: &mut Call) -> Vec<Usage> {
    let mut storages = storage_cfg::load(call);
    storages.retain(|storage| storage.is_on(&call.node));
    storages.sort_by(|a, b| a.id.cmp(&b.id));
    storages.into_iter().map(|storage| of(call, storage)).collect()
}

pub fn of(call: &mut Call, storage: Storage) -> Usage {
    let is_enabled = !storage.is_set("disable");
    let space = match storage.kind.as_str() {
        _ if !is_enabled => None,
        "zfspool" => match zfs::activate(call, &storage) {
            Ok(()) => zfs::space(call, &storage).map(|(available, used)| (available + used, used, available)),
            Err(fault) => {
                call.fail(&fault);
                None
            }
        },
        _ => folder(call, &storage),
    };
    let (total, used, available) = space.unwrap_or_default();
    Usage {
        storage,
        is_enabled,
        is_active: space.is_some(),
        total,
        used,
        available,
    }
}

#[expect(clippy::disallowed_methods, reason = "df knows what the standard library does not")]
fn folder(call: &mut Call, storage: &Storage) -> Option<(u64, u64, u64)> {
    let path = storage.get("path");
    let place = call.place(path);
    if add::is_true(storage.get("is_mountpoint")) && !add::is_mounted(&place) {
        let problem = "directory is expected to be a mount point but is not mounted";
        call.err += &format!("unable to activate storage '{}' - {problem}: '{path}'\n", storage.id);
        return None;
    }
    let _ = std::fs::create_dir_all(&place);
    let df = std::process::Command::new("df")
        .args(["-k", "--output=size,used,avail"])
        .arg(&place)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&df.stdout);
    let mut numbers = text
        .lines()
        .last()?
        .split_whitespace()
        .map(|n| n.parse::<u64>().map_or(0, |n| n * 1024));
    Some((numbers.next()?, numbers.next()?, numbers.next()?))
}

pub fn status(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let asked = found.arguments.get("storage");
    if asked.is_some_and(|id| super::storage(call, id).is_err()) {
        return Err(found.refuse(&[("storage", "No such storage.".to_owned())]));
    }
    let mut rows = all(call);
    let content = found.arguments.get("content");
    rows.retain(|row| asked.is_none_or(|id| row.storage.id == id));
    rows.retain(|row| content.is_none_or(|kind| row.storage.get("content").split(',').any(|c| c == kind)));
    rows.retain(|row| row.is_enabled || !found.arguments.is_set("enabled"));
    if found.arguments.get("target").is_some_and(|target| target != call.node) {
        rows.retain(|row| row.storage.is_set("shared"));
    }
    call.out += &table(&rows);
    Ok(())
}

fn table(rows: &[Usage]) -> String {
    let width = rows.iter().map(|row| row.storage.id.len()).max().unwrap_or(0) + 1;
    let (total, used, available) = ("Total (KiB)", "Used (KiB)", "Available (KiB)");
    let (name, kind, status) = ("Name", "Type", "Status");
    let mut text = format!(
        "{name:width$} {kind:>10} {status:>10} {total:>15} {used:>15} {available:>15} {:>8}\n",
        "%"
    );
    for Usage {
        storage,
        is_enabled,
        is_active,
        total,
        used,
        available,
    } in rows
    {
        let status = match (is_enabled, is_active) {
            (false, _) => "disabled",
            (_, true) => "active",
            (_, false) => "inactive",
        };
        let percent = match (is_enabled, fraction(*used, *total)) {
            (false, _) => "N/A".to_owned(),
            (_, fraction) => format!("{:.2}%", fraction * 100.0),
        };
        let (total, used, available) = (total / 1024, used / 1024, available / 1024);
        let (name, kind) = (&storage.id, &storage.kind);
        text += &format!("{name:width$} {kind:>10} {status:>10} {total:>15} {used:>15} {available:>15} {percent:>8}\n");
    }
    text
}

/// Used part of the whole, 0 to 1; 0 when there is nothing.
#[expect(clippy::cast_precision_loss, reason = "a share of a disk is not exact")]
pub fn fraction(used: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { used as f64 / total as f64 }
}
