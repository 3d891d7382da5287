//! What is known of guests: `qm list`, `config`, `pending` and `status`, and the same as answers of the API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::conf::{self, Conf};
use super::drive::Drive;
use super::state;
use crate::call::{Call, Fault};

pub fn config(call: &mut Call, id: &str) -> Result<(), Fault> {
    let conf = Conf::load(call, id)?;
    for (name, value) in conf.wanted() {
        call.out += &format!("{name}: {value}\n");
    }
    Ok(())
}

pub fn pending(call: &mut Call, id: &str) -> Result<(), Fault> {
    let conf = Conf::load(call, id)?;
    for (name, value) in conf.wanted() {
        if let Some(now) = conf.now.get(name) {
            call.out += &format!("cur {name}: {now}\n");
        }
        if conf.pending.contains_key(name) {
            call.out += &format!("new {name}: {value}\n");
        }
    }
    Ok(())
}

/// The same as rows.
pub fn pending_rows(conf: &Conf) -> Value {
    let digest = conf.answer()["digest"].take();
    let row = |(name, wanted): (&str, &str)| {
        let mut row = json!({"key": name});
        let fields = row.as_object_mut()?;
        if conf.pending.contains_key(name) {
            fields.insert("pending".to_owned(), conf::value_of(name, wanted));
        }
        if let Some(now) = conf.now.get(name) {
            fields.insert("value".to_owned(), conf::value_of(name, now));
        }
        Some(row)
    };
    let rows = conf.wanted().into_iter().filter_map(row);
    rows.chain([json!({"key": "digest", "value": digest})]).collect()
}

pub fn list(call: &mut Call) -> Result<(), Fault> {
    let guests = conf::all(call, &call.node);
    if !guests.is_empty() {
        call.out += "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n";
    }
    for (id, conf) in guests {
        let (name, status, memory) = (conf.name(&id), state::word(call, &id), conf.number("memory", 512));
        let pid = state::pid(call, &id).unwrap_or(0);
        call.out += &format!(
            "{id:>10} {name:20} {status:10} {memory:<10} {:>12.2} {pid:<10}\n",
            gigabytes(&conf)
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for a person's eyes")]
fn gigabytes(conf: &Conf) -> f64 {
    boot_disk(conf) as f64 / (1_u64 << 30) as f64
}

/// Bytes of the disk that the guest boots from; zero when it has none.
fn boot_disk(conf: &Conf) -> u64 {
    let order = conf
        .now
        .get("boot")
        .and_then(|boot| boot.strip_prefix("order="))
        .unwrap_or_default();
    let drives = order
        .split(';')
        .filter_map(|name| conf.now.get(name))
        .map(|value| Drive::parse(value));
    let mut disks = drives.filter(|drive| !drive.is_cdrom() && !drive.volume.contains('='));
    disks.next().map_or(0, |drive| drive.size())
}

pub fn status(call: &mut Call, id: &str, is_verbose: bool) -> Result<(), Fault> {
    let conf = Conf::load(call, id)?;
    let word = state::word(call, id);
    if !is_verbose {
        call.out += &format!("status: {word}\n");
        return Ok(());
    }
    let row: BTreeMap<String, Value> = figures(call, id, &conf).into_iter().collect();
    for (name, value) in row {
        call.out += &lines(&name, &value, 0);
    }
    Ok(())
}

/// `name: value`, or a name and what is below it, each a tab further in.
fn lines(name: &str, value: &Value, depth: usize) -> String {
    let indent = "\t".repeat(depth);
    match value {
        Value::Object(fields) => {
            let below = fields.iter().map(|(name, value)| lines(name, value, depth + 1));
            format!("{indent}{name}:\n{}", below.collect::<String>())
        }
        Value::String(text) => format!("{indent}{name}: {text}\n"),
        other => format!("{indent}{name}: {other}\n"),
    }
}

/// A guest with what is known of it alone: cards and pressure while it runs.
pub fn figures(call: &Call, id: &str, conf: &Conf) -> Map<String, Value> {
    let mut row = row(call, id, conf);
    row.insert("qmpstatus".to_owned(), json!(state::word(call, id)));
    if !state::is_running(call, id) {
        return row;
    }
    let cards = conf.now.keys().filter_map(|name| name.strip_prefix("net"));
    let card = |number: &str| (format!("tap{id}i{number}"), json!({"netin": 0, "netout": 0}));
    row.insert("nics".to_owned(), Value::Object(cards.map(card).collect()));
    for name in ["cpufull", "cpusome", "iofull", "iosome", "memoryfull", "memorysome"] {
        row.insert(format!("pressure{name}"), json!(0));
    }
    row
}

/// A guest of this node as the API's list has it.
pub fn row(call: &Call, id: &str, conf: &Conf) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| _ = row.insert(name.to_owned(), value);
    put("cpus", json!(conf.number("cores", 1) * conf.number("sockets", 1)));
    put("disk", json!(0));
    put("maxdisk", json!(boot_disk(conf)));
    put("maxmem", json!(conf.number("memory", 512) << 20));
    put("mem", json!(0));
    put("memhost", json!(0));
    put("name", json!(conf.name(id)));
    put("netin", json!(0));
    put("netout", json!(0));
    if let Some(pid) = state::pid(call, id) {
        put("pid", json!(pid));
    }
    if conf.now.contains_key("serial0") {
        put("serial", json!(1));
    }
    // A paused guest still runs.
    let status = if state::is_running(call, id) {
        "running"
    } else {
        "stopped"
    };
    put("status", json!(status));
    if let Some(tags) = conf.now.get("tags") {
        put("tags", json!(tags));
    }
    put("uptime", json!(0));
    put("vmid", json!(id.parse::<u64>().unwrap_or(0)));
    row
}

/// A guest as `/cluster/resources` has it.
pub fn resource(call: &Call, node: &str, id: &str, conf: &Conf) -> Value {
    let mut fields = row(call, id, conf);
    for name in ["serial", "pid"] {
        fields.remove(name);
    }
    if let Some(cpus) = fields.remove("cpus") {
        fields.insert("maxcpu".to_owned(), cpus);
    }
    if node != call.node {
        fields.remove("memhost");
    }
    for name in ["cpu", "diskread", "diskwrite", "template"] {
        fields.insert(name.to_owned(), json!(0));
    }
    fields.insert("id".to_owned(), json!(format!("qemu/{id}")));
    fields.insert("node".to_owned(), json!(node));
    fields.insert("type".to_owned(), json!("qemu"));
    Value::Object(fields)
}
