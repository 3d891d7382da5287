//! `qm set`, `qm unlock` and `qm disk unlink`.

use super::conf::Conf;
use super::create::random;
use super::drive::{Drive, is_drive};
use super::{SETTINGS, disks, state};
use crate::arguments::Arguments;
use crate::call::{Call, Fault};

/// Options that are no settings.
const OTHERS: [&str; 15] = [
    "archive",
    "delete",
    "digest",
    "force",
    "format",
    "idlist",
    "output-format",
    "pool",
    "revert",
    "skiplock",
    "start",
    "storage",
    "unique",
    "vmid",
    "live-restore",
];
/// Settings that a running guest does not take over.
const NEEDS_RESTART: [&str; 8] = ["arch", "bios", "cores", "cpu", "machine", "memory", "sockets", "vga"];

/// The settings of a command line.
pub fn settings(arguments: &Arguments) -> Vec<(String, String)> {
    let all = arguments.all().filter(|(name, _)| !OTHERS.contains(name));
    all.map(|(name, value)| (name.to_owned(), plain(name, value))).collect()
}

/// A boolean as the file has it.
fn plain(name: &str, value: &str) -> String {
    let is_boolean = matches!(
        name,
        "acpi" | "kvm" | "numa" | "onboot" | "protection" | "tablet" | "template"
    );
    match value {
        "yes" | "on" | "true" if is_boolean => "1".to_owned(),
        "no" | "off" | "false" if is_boolean => "0".to_owned(),
        other => other.to_owned(),
    }
}

/// A value as the file has it: disks are made, cards get an address.
pub fn completed(call: &mut Call, id: &str, conf: &Conf, name: &str, value: &str) -> Result<String, Fault> {
    if is_drive(name) {
        return disks::attach(call, id, conf, name, value);
    }
    if name.starts_with("net") && name.ends_with(|c: char| c.is_ascii_digit()) {
        return card(value);
    }
    Ok(value.to_owned())
}

/// A card without an address gets one that begins as all of Proxmox do.
fn card(value: &str) -> Result<String, Fault> {
    let drive = Drive::parse(value);
    if drive.volume.contains('=') {
        return Ok(drive.text());
    }
    let [a, b, c] = random()?;
    let named = format!("{}=BC:24:11:{a:02X}:{b:02X}:{c:02X}", drive.volume);
    Ok(Drive { volume: named, ..drive }.text())
}

/// Refuses a guest that another task works on.
pub fn needs_no_lock(conf: &Conf) -> Result<(), Fault> {
    let locked = |lock| Fault::died(format!("VM is locked ({lock})"));
    conf.now.get("lock").map_or(Ok(()), |lock| Err(locked(lock)))
}

pub fn set(call: &mut Call, id: &str, arguments: &Arguments) -> Result<(), Fault> {
    let deleted: Vec<&str> = arguments
        .get("delete")
        .into_iter()
        .flat_map(|names| names.split(','))
        .collect();
    let unknown = |name: &&&str| !SETTINGS.split_whitespace().any(|known| known == **name);
    if let Some(name) = deleted.iter().find(unknown) {
        let problem = format!("delete: unknown option '{name}'");
        let usage = "qm set <vmid> [OPTIONS]";
        return Err(Fault::new(
            2,
            format!("400 Parameter verification failed.\n{problem}\n{usage}"),
        ));
    }
    Conf::load(call, id)?;
    let said = arguments
        .all()
        .filter(|(name, _)| *name != "vmid" && *name != "output-format");
    let said: String = said.map(|(name, value)| format!(" -{name} {value}")).collect();
    call.out += &format!("update VM {id}:{said}\n");
    change(call, id, arguments)
}

/// Changes the file without saying so.
pub fn change(call: &mut Call, id: &str, arguments: &Arguments) -> Result<(), Fault> {
    let mut conf = Conf::load(call, id)?;
    let is_running = state::is_running(call, id);
    for (name, value) in settings(arguments) {
        let value = completed(call, id, &conf, &name, &value)?;
        if is_running && NEEDS_RESTART.contains(&name.as_str()) {
            conf.pending.insert(name, value);
        } else {
            conf.now.insert(name, value);
        }
    }
    let deleted = arguments.get("delete").into_iter().flat_map(|names| names.split(','));
    for name in deleted {
        let Some(value) = conf.now.remove(name) else { continue };
        if !is_drive(name) {
            continue;
        }
        let drive = Drive::parse(&value);
        if arguments.is_set("force") || name.starts_with("unused") {
            disks::remove(call, &drive.volume);
        } else if !drive.is_cdrom() {
            disks::park(&mut conf, &drive.volume);
        }
    }
    conf.save(call, id)
}

pub fn unlock(call: &Call, id: &str) -> Result<(), Fault> {
    let mut conf = Conf::load(call, id)?;
    conf.now.remove("lock");
    conf.save(call, id)
}

/// The same as to delete the settings.
pub fn unlink(call: &mut Call, id: &str, arguments: &Arguments) -> Result<(), Fault> {
    let mut words = vec![
        "--delete".to_owned(),
        arguments.get("idlist").unwrap_or_default().to_owned(),
    ];
    if arguments.is_set("force") {
        words.extend(["--force".to_owned(), "1".to_owned()]);
    }
    let arguments = Arguments::read(&words, "", "delete force").map_err(Fault::died)?;
    set(call, id, &arguments)
}
