//! `qm create` and `qm destroy`.

use std::fs::File;
use std::io::Read;

use super::conf::{Conf, owner, path};
use super::drive::{Drive, is_drive};
use super::{disks, set, state};
use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::pvesm::volumes;
use crate::{pvesm, task};

/// Version of qemu that the recorded machine had.
const QEMU: &str = "10.0.13";

pub fn create(call: &mut Call, id: &str, arguments: &Arguments) -> Result<task::Ended, Fault> {
    if call.is_read_only() {
        return Err(Fault::died("cluster not ready - no quorum?"));
    }
    if let Some(node) = owner(call, id) {
        let taken = format!("unable to create VM {id} - VM {id} already exists on node '{node}'");
        return Err(Fault::died(taken));
    }
    for (_, value) in arguments.all().filter(|(name, _)| is_drive(name)) {
        check(call, id, value)?;
    }
    Ok(task::run(call, "qmcreate", id, |call| make(call, id, arguments)))
}

/// The storage of a new disk and an existing volume must be there before anything is made.
fn check(call: &Call, id: &str, value: &str) -> Result<(), Fault> {
    let drive = Drive::parse(value);
    if let Some((storage, _)) = drive.to_make() {
        return pvesm::storage(call, storage)
            .map(|_| ())
            .map_err(|fault| Fault::new(2, fault.text));
    }
    let missing = || {
        Fault::died(format!(
            "unable to create VM {id} - volume '{}' does not exist",
            drive.volume
        ))
    };
    match volumes::place(call, &drive.volume) {
        Ok((_, path)) if call.place(&path).exists() => Ok(()),
        _ if !drive.volume.contains(':') || drive.volume.ends_with(":cloudinit") => Ok(()),
        _ => Err(missing()),
    }
}

fn make(call: &mut Call, id: &str, arguments: &Arguments) -> Result<(), Fault> {
    let mut conf = Conf::default();
    for (name, value) in set::settings(arguments) {
        conf.now.insert(name, value);
    }
    for (name, value) in set::settings(arguments) {
        let value = set::completed(call, id, &conf, &name, &value)?;
        conf.now.insert(name, value);
    }
    let mut fill = |name: &str, value: String| _ = conf.now.entry(name.to_owned()).or_insert(value);
    fill("meta", format!("creation-qemu={QEMU},ctime={}", call.now()));
    fill("smbios1", format!("uuid={}", uuid()?));
    if arguments.get("arch").unwrap_or(std::env::consts::ARCH) != "aarch64" {
        fill("vmgenid", uuid()?);
    }
    if !conf.now.contains_key("boot") {
        conf.now.insert("boot".to_owned(), boot(&conf));
    }
    conf.save(call, id)?;
    if arguments.is_set("start") {
        state::start(call, id);
    }
    Ok(())
}

/// The first disk, the first CD and the first network card; a space when there is none.
fn boot(conf: &Conf) -> String {
    let drives = || {
        conf.now
            .iter()
            .filter(|(name, _)| is_drive(name) && !name.starts_with("efidisk"))
    };
    let first = |is_cdrom| {
        let mut found = drives().filter(move |(_, value)| Drive::parse(value).is_cdrom() == is_cdrom);
        found.next().map(|(name, _)| name.as_str())
    };
    let card = conf.now.keys().find(|name| name.starts_with("net")).map(String::as_str);
    let order: Vec<&str> = [first(false), first(true), card].into_iter().flatten().collect();
    if order.is_empty() {
        return " ".to_owned();
    }
    format!("order={}", order.join(";"))
}

/// Removes a guest that does not run, with its disks.
pub fn destroy(call: &mut Call, id: &str, is_purge: bool) -> Result<task::Ended, Fault> {
    let conf = Conf::load(call, id)?;
    if conf.number("protection", 0) == 1 {
        return Err(Fault::died(format!("can't remove VM {id} - protection mode enabled")));
    }
    if state::is_running(call, id) {
        return Err(Fault::new(25, format!("VM {id} is running - destroy failed")));
    }
    set::needs_no_lock(&conf)?;
    Ok(task::run(call, "qmdestroy", id, |call| {
        disks::remove_all(call, id, &conf);
        if is_purge {
            call.out += &format!("purging VM {id} from related configurations..\n");
        }
        call.remove(&path(&call.node, id));
        Ok(())
    }))
}

/// Random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|e| Fault::died(format!("cannot read /dev/urandom: {e}")))?;
    Ok(bytes)
}

pub fn uuid() -> Result<String, Fault> {
    let number = u128::from_be_bytes(random()?) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    Ok([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
}
