use serde_json::{Map, Value, json};

use super::printed;
use crate::Output;
use crate::sim::device::Device;
use crate::sim::disk::gpt;
use crate::sim::disk::signature::{self, Signature};
use crate::sim::disk::{Bus, Disk};
use crate::sim::state::State;

/// `lsblk --json -b -p -o COLUMNS [DEVICE]`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let (columns, only) = match args {
        ["--json", "-b", "-p", "-o", columns] => (columns, None),
        ["--json", "-b", "-p", "-o", columns, path] => (columns, Some(state.device(path)?)),
        _ => return None,
    };
    let columns: Vec<String> = columns.split(',').map(str::to_lowercase).collect();
    let devices = state.devices();
    let whole = devices.iter().filter(|device| device.partition.is_none());
    let shown = whole.filter(|device| only.as_ref().is_none_or(|only| only.name == device.name));
    let rows: Option<Vec<Value>> = shown
        .map(|device| {
            let parts = devices
                .iter()
                .filter(|part| part.disk == device.disk && part.partition.is_some());
            let volume = state.holder(device).map(|name| volume(name, &device.path(), &columns));
            let parts = parts.map(|part| row(state, part, &columns));
            let children: Option<Vec<Value>> = parts.chain(volume).collect();
            let mut shown = row(state, device, &columns)?;
            if let (Some(children), Some(object)) = (children, shown.as_object_mut())
                && !children.is_empty()
            {
                object.insert("children".to_owned(), Value::Array(children));
            }
            Some(shown)
        })
        .collect();
    Some(printed(format!("{}\n", json!({"blockdevices": rows?}))))
}

/// A logical volume on a disk.
fn volume(name: &str, disk: &str, columns: &[String]) -> Option<Value> {
    let column = |column: &String| {
        let value = match column.as_str() {
            "name" | "path" => json!("/dev/mapper/vg0-lv0"),
            "kname" => json!(format!("/dev/{name}")),
            "type" => json!("lvm"),
            "size" => json!(64 << 20),
            "ro" | "rota" => json!(false),
            "mountpoints" => json!([]),
            "pkname" => json!(disk),
            _ => Value::Null,
        };
        (column.clone(), value)
    };
    Some(Value::Object(columns.iter().map(column).collect()))
}

fn row(state: &State, device: &Device, columns: &[String]) -> Option<Value> {
    let disk = &state.disks[device.disk];
    let found = signature::find(&disk.bytes, device.start, device.size);
    let fields: Option<Map<String, Value>> = columns
        .iter()
        .map(|name| Some((name.clone(), column(state, disk, device, found.first(), name)?)))
        .collect();
    fields.map(Value::Object)
}

fn column(state: &State, disk: &Disk, device: &Device, content: Option<&Signature>, name: &str) -> Option<Value> {
    let path = device.path();
    let whole = device.partition.is_none();
    let table = || gpt::read(&disk.bytes);
    // On a disk with a partition table the table is the content.
    let content = content.filter(|_| !whole || table().is_none());
    Some(match name {
        "name" | "kname" | "path" => json!(path),
        "type" => json!(if whole { "disk" } else { "part" }),
        "size" => json!(device.size),
        "ro" | "rota" => json!(false),
        "tran" => json!(match disk.bus {
            Bus::Nvme(_) => "nvme",
            Bus::Card => "mmc",
        }),
        "model" => json!(
            whole
                .then_some(&disk.model)
                .filter(|_| matches!(disk.bus, Bus::Nvme(_)))
        ),
        "serial" => json!(whole.then_some(&disk.serial)),
        "wwn" => json!(disk.wwn),
        "pttype" => json!(table().map(|table| table.label)),
        "parttype" => json!(device.partition.as_ref().map(|part| part.kind.to_lowercase())),
        "fstype" => json!(content.map(|content| content.kind)),
        "label" => json!(content.and_then(|content| content.label.clone())),
        "uuid" => json!(content.and_then(|content| content.uuid.clone())),
        "mountpoints" => json!(state.mounted_at(device).into_iter().collect::<Vec<_>>()),
        "pkname" => json!((!whole).then(|| format!("/dev/{}", disk.kernel_name()))),
        _ => return None,
    })
}
