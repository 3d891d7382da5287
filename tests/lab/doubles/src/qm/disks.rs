//! Disks of a guest: made, imported, made larger, taken away.

use std::fs;

use super::conf::Conf;
use super::drive::{self, Drive, is_drive};
use crate::call::{Call, Fault};
use crate::pvesm::{self, volumes};

const MIB: u64 = 1 << 20;

/// Makes what a new drive asks for; returns it as the file has it.
pub fn attach(call: &mut Call, id: &str, conf: &Conf, name: &str, value: &str) -> Result<String, Fault> {
    let mut drive = Drive::parse(value);
    if let Some((storage, gibibytes)) = drive.to_make() {
        let storage = storage.to_owned();
        let from = drive.options.remove("import-from");
        let size = match &from {
            Some(path) => size_of(call, path)?,
            None if name == "efidisk0" && is_arm(conf) => 64 * MIB,
            None if name == "efidisk0" => 528 << 10,
            None => gib(gibibytes),
        };
        drive.volume = make(call, &storage, id, size)?;
        if from.is_some() || name == "efidisk0" {
            copy(call, size, name == "efidisk0");
        }
        drive.options.insert("size".to_owned(), drive::short(size));
        call.out += &format!("{name}: successfully created disk '{}'\n", drive.text());
    } else if drive.volume.contains(':') {
        let (_, path) = volumes::place(call, &drive.volume)?;
        let missing = || Fault::died(format!("volume '{}' does not exist", drive.volume));
        let found = fs::metadata(call.place(&path)).map_err(|_| missing())?;
        drive.options.insert("size".to_owned(), drive::short(found.len()));
    }
    Ok(drive.text())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are small and positive"
)]
fn gib(number: f64) -> u64 {
    (number * (1_u64 << 30) as f64) as u64
}

pub fn is_arm(conf: &Conf) -> bool {
    conf.get("arch").unwrap_or(std::env::consts::ARCH) == "aarch64"
}

fn make(call: &mut Call, storage: &str, id: &str, bytes: u64) -> Result<String, Fault> {
    let found = pvesm::storage(call, storage).map_err(|fault| Fault::new(2, fault.text))?;
    volumes::make(call, &found, id, "", bytes / 1024)
}

fn size_of(call: &Call, path: &str) -> Result<u64, Fault> {
    let place = if path.starts_with('/') {
        path.to_owned()
    } else {
        volumes::place(call, path)?.1
    };
    let found = fs::metadata(call.place(&place));
    found
        .map(|found| found.len())
        .map_err(|_| Fault::new(2, format!("cannot open '{path}' - No such file or directory")))
}

/// What `qemu-img convert` prints: in steps of 2 MiB for the variables of the firmware, whose end is told twice.
fn copy(call: &mut Call, bytes: u64, is_firmware: bool) {
    let step = if is_firmware { 2 * MIB } else { bytes.max(1) };
    let mut done = 0;
    loop {
        let (text, whole) = (amount(done), amount(bytes));
        call.out += &format!("transferred {text} of {whole} ({:.2}%)\n", percent(done, bytes));
        if done >= bytes {
            break;
        }
        done = (done + step).min(bytes);
    }
    if is_firmware {
        let whole = amount(bytes);
        call.out += &format!("transferred {whole} of {whole} (100.00%)\n");
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is not exact")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "for a person's eyes")]
fn amount(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{:.1} B", bytes as f64),
        1024..MIB => format!("{:.1} KiB", bytes as f64 / 1024.0),
        MIB..0x4000_0000 => format!("{:.1} MiB", bytes as f64 / MIB as f64),
        _ => format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64),
    }
}

/// `qm disk import`: the disk is there, but nothing uses it.
pub fn import(call: &mut Call, id: &str, source: &str, storage: &str) -> Result<(), Fault> {
    let mut conf = Conf::load(call, id)?;
    call.out += &format!("importing disk '{source}' to VM {id} ...\n");
    let bytes = size_of(call, source)?;
    let volume = make(call, storage, id, bytes)?;
    copy(call, bytes, false);
    let name = park(&mut conf, &volume);
    call.out += &format!("{name}: successfully imported disk '{volume}'\n");
    conf.save(call, id)
}

/// Keeps a volume as a disk that nothing uses; returns the setting's name.
pub fn park(conf: &mut Conf, volume: &str) -> String {
    let mut names = (0..256).map(|n| format!("unused{n}"));
    let name = names.find(|name| !conf.now.contains_key(name)).unwrap_or_default();
    conf.now.insert(name.clone(), volume.to_owned());
    name
}

/// `qm resize`: never smaller.
pub fn resize(call: &mut Call, id: &str, disk: &str, size: &str) -> Result<(), Fault> {
    let mut conf = Conf::load(call, id)?;
    let missing = || Fault::died(format!("disk '{disk}' does not exist"));
    let mut drive = Drive::parse(conf.now.get(disk).ok_or_else(missing)?);
    let wanted = match size.strip_prefix('+') {
        Some(more) => drive.size() + drive::bytes(more),
        None => drive::bytes(size),
    };
    if wanted < drive.size() {
        return Err(Fault::died("shrinking disks is not supported"));
    }
    let (_, path) = volumes::place(call, &drive.volume)?;
    if let Ok(file) = fs::OpenOptions::new().write(true).open(call.place(&path)) {
        let _ = file.set_len(wanted);
    }
    drive.options.insert("size".to_owned(), drive::short(wanted));
    conf.now.insert(disk.to_owned(), drive.text());
    call.out += "Image resized.\n";
    conf.save(call, id)
}

/// Removes a volume without a word.
pub fn remove(call: &mut Call, volume: &str) {
    let _ = volumes::remove(call, volume);
}

/// Removes every disk of a guest, and its folder.
pub fn remove_all(call: &mut Call, id: &str, conf: &Conf) {
    let disks: Vec<Drive> = conf
        .now
        .iter()
        .filter(|(name, _)| is_drive(name))
        .map(|(_, v)| Drive::parse(v))
        .collect();
    for drive in disks.iter().filter(|drive| !drive.is_cdrom()) {
        remove(call, &drive.volume);
        if let Some(storage) = drive
            .volume
            .split(':')
            .next()
            .and_then(|id| pvesm::storage(call, id).ok())
        {
            let _ = fs::remove_dir(call.place(&format!("{}/images/{id}", storage.get("path"))));
        }
    }
}
