//! Volumes: disks of guests and files such as ISO images.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use super::zfs;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::storage_cfg::Storage;

/// A disk of a guest.
pub struct Volume {
    /// `STORAGE:NAME`.
    pub id: String,
    pub guest: u32,
    pub bytes: u64,
    /// Seconds since 1970; zero when unknown.
    pub created: i64,
    pub used: u64,
}

/// Every disk of a storage, by name.
pub fn all(call: &mut Call, storage: &Storage) -> Vec<Volume> {
    let mut all = match storage.kind.as_str() {
        "zfspool" => in_pool(call, storage),
        _ => in_folder(call, storage),
    };
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

fn in_pool(call: &mut Call, storage: &Storage) -> Vec<Volume> {
    let volumes = zfs::volumes(call, storage).into_iter();
    let volume = |(name, bytes): (String, u64)| {
        let guest = name.split('-').nth(1)?.parse().ok()?;
        Some(Volume {
            id: format!("{}:{name}", storage.id),
            guest,
            bytes,
            created: 0,
            used: 0,
        })
    };
    volumes.filter_map(volume).collect()
}

fn in_folder(call: &Call, storage: &Storage) -> Vec<Volume> {
    let images = call.place(storage.get("path")).join("images");
    let guests = fs::read_dir(images).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for guest in guests {
        let Some(number) = guest.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        for disk in fs::read_dir(guest.path()).into_iter().flatten().flatten() {
            let Ok(about) = disk.metadata() else { continue };
            let id = format!("{}:{number}/{}", storage.id, disk.file_name().to_string_lossy());
            let (bytes, created, used) = (about.len(), about.ctime(), about.blocks() * 512);
            all.push(Volume {
                id,
                guest: number,
                bytes,
                created,
                used,
            });
        }
    }
    all
}

pub fn list(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let storage = super::storage(call, found.required("storage")?)?;
    let mut rows = all(call, &storage);
    let guest = found.arguments.get("vmid").and_then(|id| id.parse().ok());
    rows.retain(|row| guest.is_none_or(|guest: u32| row.guest == guest));
    let widest = |lengths: Vec<usize>, least: usize| lengths.into_iter().fold(least, usize::max);
    let name = widest(rows.iter().map(|row| row.id.len()).collect(), 5);
    let size = widest(rows.iter().map(|row| row.bytes.to_string().len()).collect(), 4);
    call.out += &format!("{:name$} {:7} {:9} {:>size$} VMID\n", "Volid", "Format", "Type", "Size");
    for Volume { id, guest, bytes, .. } in rows {
        call.out += &format!("{id:name$} {:7} {:9} {bytes:>size$} {guest}\n", "raw", "images");
    }
    Ok(())
}

pub fn path(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let (_, path) = place(call, found.required("volume")?)?;
    call.out += &format!("{path}\n");
    Ok(())
}

/// The storage and the path of a volume such as `local:100/vm-100-disk-0.raw`.
pub fn place(call: &Call, volume: &str) -> Result<(Storage, String), Fault> {
    let wrong = || Fault::died(format!("unable to parse volume ID '{volume}'\n"));
    let (storage, name) = volume.split_once(':').ok_or_else(wrong)?;
    let storage = super::storage(call, storage)?;
    let path = path_of(&storage, name);
    Ok((storage, path))
}

fn path_of(storage: &Storage, name: &str) -> String {
    let folder = storage.get("path");
    match name.split_once('/') {
        _ if storage.kind == "zfspool" => format!("/dev/zvol/{}/{name}", storage.get("pool")),
        Some(("iso", file)) => format!("{folder}/template/iso/{file}"),
        Some(("vztmpl", file)) => format!("{folder}/template/cache/{file}"),
        Some(("backup", file)) => format!("{folder}/dump/{file}"),
        Some(("snippets", file)) => format!("{folder}/snippets/{file}"),
        _ => format!("{folder}/images/{name}"),
    }
}

pub fn alloc(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let storage = super::storage(call, found.required("storage")?)?;
    let kibibytes = kibibytes(found.required("size")?)?;
    let volume = make(
        call,
        &storage,
        found.required("vmid")?,
        found.required("filename")?,
        kibibytes,
    )?;
    call.out += &format!("successfully created '{volume}'\n");
    Ok(())
}

/// Makes a disk of a guest; without a name it gets the next free one. Returns its volume.
pub fn make(call: &mut Call, storage: &Storage, guest: &str, name: &str, kibibytes: u64) -> Result<String, Fault> {
    let is_pool = storage.kind == "zfspool";
    let mut name = name.to_owned();
    if name.is_empty() {
        let end = if is_pool { "" } else { ".raw" };
        let taken: Vec<String> = all(call, storage).into_iter().map(|volume| volume.id).collect();
        let names = (0..100).map(|n| format!("vm-{guest}-disk-{n}{end}"));
        let mut free = names.filter(|name| !taken.iter().any(|id| id.ends_with(name)));
        name = free
            .next()
            .ok_or_else(|| Fault::died("unable to allocate an image name"))?;
    }
    if is_pool {
        zfs::create(call, storage, &name, kibibytes)?;
        return Ok(format!("{}:{name}", storage.id));
    }
    let name = format!("{guest}/{name}");
    let path = path_of(storage, &name);
    let target = call.place(&path);
    if target.exists() {
        return Err(Fault::died(format!("disk image '{path}' already exists")));
    }
    let bytes = kibibytes * 1024;
    fs::create_dir_all(target.with_file_name(""))
        .and_then(|()| File::create(target))
        .and_then(|file| file.set_len(bytes))
        .map_err(|e| Fault::died(format!("unable to create image: {e}")))?;
    call.out += &format!("Formatting '{path}', fmt=raw size={bytes} preallocation=off\n");
    Ok(format!("{}:{name}", storage.id))
}

/// `4M`, `1G`, or KiB without a letter.
fn kibibytes(size: &str) -> Result<u64, Fault> {
    let digits = size.trim_end_matches(['M', 'G']);
    let factor = if size.ends_with('G') {
        1024 * 1024
    } else if size.ends_with('M') {
        1024
    } else {
        1
    };
    let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    number.ok_or_else(|| Fault::died(format!("unable to parse size '{size}'")))
}

pub fn free(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let volume = found.required("volume")?;
    let (_, path) = place(call, volume)?;
    if !remove(call, volume)? {
        call.out += &format!("disk image '{path}' does not exist\n");
    }
    call.out += &format!("Removed volume '{volume}'\n");
    Ok(())
}

/// Removes a volume; false when its file was missing.
pub fn remove(call: &mut Call, volume: &str) -> Result<bool, Fault> {
    let (storage, path) = place(call, volume)?;
    if storage.kind == "zfspool" {
        let name = volume.split_once(':').map_or(volume, |(_, name)| name);
        return zfs::destroy(call, &storage, name).map(|()| true);
    }
    Ok(fs::remove_file(call.place(&path)).is_ok())
}
