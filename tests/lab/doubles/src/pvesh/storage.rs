//! `/storage` and `/nodes/NODE/storage`.

use serde_json::{Map, Value, json};

use super::digest;
use crate::call::{Call, Fault};
use crate::pvesm::set::BOOLEANS;
use crate::pvesm::usage::{self, Usage, fraction};
use crate::pvesm::{self, volumes};
use crate::storage_cfg::{self, Storage};

/// What is configured, as rows.
pub fn configured(call: &Call) -> Value {
    storage_cfg::load(call)
        .iter()
        .map(|storage| row(call, storage))
        .collect()
}

pub fn one(call: &Call, id: &str) -> Result<Value, Fault> {
    pvesm::storage(call, id).map(|storage| row(call, &storage))
}

fn row(call: &Call, storage: &Storage) -> Value {
    let mut row = storage.fields.clone();
    row.insert("digest".to_owned(), digest::of(storage_cfg::text(call).as_bytes()));
    row.insert("storage".to_owned(), storage.id.clone());
    row.insert("type".to_owned(), storage.kind.clone());
    if storage_cfg::is_missing(call) {
        row.insert("priority".to_owned(), "0".to_owned());
    }
    let field = |(name, value): (String, String)| {
        let is_number = name == "priority" || BOOLEANS.contains(&name.as_str());
        let number = value.parse::<u64>().ok().filter(|_| is_number);
        (name, number.map_or_else(|| json!(value), |n| json!(n)))
    };
    Value::Object(row.into_iter().map(field).collect())
}

/// Below `/nodes/NODE/storage`; none when the path is unknown.
pub fn of_node(call: &mut Call, rest: &[&str]) -> Result<Option<Value>, Fault> {
    match rest {
        [] => Ok(Some(usage::all(call).iter().map(|usage| space(usage, true)).collect())),
        [id, "status"] => {
            let all = usage::all(call);
            let missing = || Fault::died(format!("storage '{id}' does not exist"));
            Ok(Some(space(
                all.iter().find(|usage| usage.storage.id == *id).ok_or_else(missing)?,
                false,
            )))
        }
        [id, "content"] => {
            let storage = pvesm::storage(call, id)?;
            Ok(Some(volumes::all(call, &storage).iter().map(content).collect()))
        }
        _ => Ok(None),
    }
}

fn space(usage: &Usage, in_list: bool) -> Value {
    let storage = &usage.storage;
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| _ = row.insert(name.to_owned(), value);
    put("active", json!(u8::from(usage.is_active)));
    put("avail", json!(usage.available));
    put("content", json!(storage.get("content")));
    put("enabled", json!(u8::from(usage.is_enabled)));
    put("shared", json!(u8::from(storage.is_set("shared"))));
    if in_list {
        put("storage", json!(storage.id));
    }
    put("total", json!(usage.total));
    put("type", json!(storage.kind));
    put("used", json!(usage.used));
    if in_list && usage.total > 0 {
        put("used_fraction", json!(fraction(usage.used, usage.total)));
    }
    Value::Object(row)
}

fn content(volume: &volumes::Volume) -> Value {
    json!({
        "content": "images", "ctime": volume.created, "format": "raw", "parent": null, "size": volume.bytes,
        "used": volume.used, "vmid": volume.guest, "volid": volume.id,
    })
}
