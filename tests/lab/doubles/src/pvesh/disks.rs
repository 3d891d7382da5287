//! `/nodes/NODE/disks`: disks and pools, as the machine's own programs show them.

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::pvesm::add;
use crate::storage_cfg::Storage;
use crate::{program, task};

/// An answer for what follows `disks`; none when the path is unknown.
pub fn run(call: &mut Call, verb: &str, below: &[&str], arguments: &Arguments) -> Result<Option<Value>, Fault> {
    match (verb, below) {
        ("get", ["zfs"]) => Ok(Some(pools(call))),
        ("create", ["zfs"]) => create(call, arguments).map(Some),
        _ => Ok(None),
    }
}

fn pools(call: &Call) -> Value {
    let fields = "name,size,alloc,free,frag,dedup,health";
    let listed = program::run(call, "zpool", &["list", "-o", fields, "-Hp"]);
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, size, alloc, free, frag, dedup, health] = words.as_slice() else {
            return None;
        };
        let number = |text: &str| text.parse::<f64>().ok();
        let whole = |text: &str| text.parse::<u64>().ok();
        let dedup = number(dedup)?;
        Some(json!({
            "alloc": whole(alloc)?, "dedup": if dedup.fract() == 0.0 { json!(1) } else { json!(dedup) },
            "frag": whole(frag)?, "free": whole(free)?, "health": health, "name": name, "size": whole(size)?,
        }))
    };
    listed.out.lines().filter_map(row).collect()
}

/// A pool on disks that nothing uses, and a storage on it.
fn create(call: &mut Call, arguments: &Arguments) -> Result<Value, Fault> {
    let given = |name| arguments.get(name).unwrap_or_default().to_owned();
    let (name, level, devices) = (given("name"), given("raidlevel"), given("devices"));
    let devices: Vec<String> = devices.split(',').map(str::to_owned).collect();
    for device in &devices {
        let shown = program::run(call, "lsblk", &["-no", "FSTYPE,PTTYPE,MOUNTPOINT", device]);
        if !shown.out.trim().is_empty() {
            return Err(Fault::new(25, format!("device '{device}' is already in use")));
        }
    }
    let ended = task::run(call, "zfscreate", &name, |call| {
        let mut words = vec!["create", "-o", "ashift=12", &name];
        if level != "single" {
            words.push(&level);
        }
        let links: Vec<String> = devices.iter().map(|device| by_id(call, device)).collect();
        words.extend(links.iter().map(String::as_str));
        root(call, "zpool", &words)?;
        root(call, "zfs", &["set", "compression=on", &name])?;
        if arguments.is_set("add_storage") {
            let fields = [("pool", name.as_str()), ("content", "images,rootdir")];
            add::create(call, Storage::new("zfspool", &name, &fields))?;
        }
        Ok(())
    });
    Ok(json!(ended.upid))
}

fn by_id(call: &Call, device: &str) -> String {
    let shown = program::run(call, "udevadm", &["info", "-q", "symlink", device]);
    let mut links = shown
        .out
        .split_whitespace()
        .filter(|link| link.starts_with("disk/by-id/nvme-nvme."));
    links
        .next()
        .map_or_else(|| device.to_owned(), |link| format!("/dev/{link}"))
}

/// Says the command and runs it.
fn root(call: &mut Call, name: &str, words: &[&str]) -> Result<(), Fault> {
    let command = format!("/sbin/{name} {}", words.join(" "));
    call.out += &format!("# {command}\n");
    let ran = program::run(call, name, words);
    call.out += &ran.out;
    if ran.code == 0 {
        return Ok(());
    }
    call.err += &ran.err;
    Err(Fault::died(format!(
        "command '{command}' failed: exit code {}",
        ran.code
    )))
}
