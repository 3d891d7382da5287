//! `/nodes/NODE`: this machine, its time, its tasks.

use std::fs;

use serde_json::{Value, json};

use super::nodes::{memory, uptime};
use super::{digest, disks, guests, storage};
use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::program;
use crate::pvesm::usage;
use crate::{storage_cfg, task};

/// The version of Proxmox VE that was recorded.
pub const VERSION: &str = "pve-manager/9.1.8/a8e257e1ad64dd92";

/// An answer for what follows the node's name; none when the path is unknown.
pub fn run(call: &mut Call, verb: &str, rest: &[&str], arguments: &Arguments) -> Result<Option<Value>, Fault> {
    match (verb, rest) {
        (_, ["qemu", below @ ..]) => guests::run(call, verb, below, arguments),
        (_, ["disks", below @ ..]) => disks::run(call, verb, below, arguments),
        ("get", ["storage", below @ ..]) => storage::of_node(call, below),
        ("get", ["status"]) => Ok(Some(status(call))),
        ("get", ["dns"]) => Ok(Some(json!({}))),
        ("get", ["network"]) => Ok(Some(json!([]))),
        ("get", ["tasks"]) => {
            let limit = arguments.get("limit").and_then(|limit| limit.parse().ok());
            Ok(Some(task::list(call, limit.unwrap_or(50))))
        }
        ("get", ["tasks", upid, "status"]) => Ok(task::status(call, upid)),
        ("get", ["tasks", upid, "log"]) => Ok(task::log(call, upid)),
        ("get", ["time"]) => {
            let zone = call.read("/etc/timezone").unwrap_or_else(|| "Etc/UTC".to_owned());
            Ok(Some(
                json!({"localtime": call.now(), "time": call.now(), "timezone": zone.trim()}),
            ))
        }
        ("get", ["subscription"]) => {
            let id = digest::of(call.node.as_bytes()).to_uppercase();
            Ok(Some(json!({
                "message": "There is no subscription key", "serverid": id.get(..32), "status": "notfound",
                "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
            })))
        }
        _ => Ok(None),
    }
}

fn status(call: &mut Call) -> Value {
    let root = storage_cfg::load(call)
        .into_iter()
        .find(|storage| storage.id == "local");
    let root = root.map(|storage| usage::of(call, storage));
    let (total, used, available) = root.map_or((0, 0, 0), |root| (root.total, root.used, root.available));
    let (all, free) = memory();
    let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let loads: Vec<&str> = loads.split(' ').take(3).collect();
    let kernel = |option| program::run(call, "uname", &[option]).out.trim().to_owned();
    let (name, release, version, machine) = (kernel("-s"), kernel("-r"), kernel("-v"), kernel("-m"));
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    json!({
        "boot-info": {"mode": "legacy-bios"}, "cpu": 0,
        "cpuinfo": {
            "cores": cpus, "cpus": cpus, "family": "0", "flags": "fpu", "hvm": "", "mhz": "1000.000",
            "model": "a double", "sockets": 1, "user_hz": 100, "vendor": "nobody",
        },
        "current-kernel": {"machine": machine, "release": release, "sysname": name, "version": version},
        "idle": 0, "ksm": {"shared": 0}, "kversion": format!("{name} {release} {version}"), "loadavg": loads,
        "memory": {"available": free, "free": free, "total": all, "used": all.saturating_sub(free)},
        "pveversion": VERSION,
        "rootfs": {"avail": available, "free": total.saturating_sub(used), "total": total, "used": used},
        "swap": {"free": 0, "total": 0, "used": 0}, "uptime": uptime(), "wait": 0,
    })
}
