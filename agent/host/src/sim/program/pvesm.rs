use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pveum::{down, no_quorum};
use super::{complained, printed};
use crate::Output;
use crate::sim::proxmox::Proxmox;
use crate::sim::state::State;

/// The command lines of `crate::pvesm`. Texts and exit codes are those of Proxmox VE 9.1.8.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Option<Output> {
    if let Some(down) = down(state) {
        return Some(down);
    }
    match (program, args) {
        ("pvesh", ["get", path, "--output-format", "json"]) => {
            Some(printed(format!("{}\n", get(state, path.trim_start_matches('/'))?)))
        }
        ("pvesm", ["add", kind, name, options @ ..]) => {
            if let Some(refused) = no_quorum(state, "create storage", "file-storage_cfg") {
                return Some(refused);
            }
            let mut fields = read(options)?;
            fields.insert("type".to_owned(), (*kind).to_owned());
            Some(add(state, name, fields)?)
        }
        ("pvesm", ["set", name, options @ ..]) => {
            if let Some(refused) = no_quorum(state, "update storage", "file-storage_cfg") {
                return Some(refused);
            }
            let fields = read(options)?;
            let Some(storage) = state.os.proxmox.as_mut()?.storages.get_mut(*name) else {
                let text = format!("update storage failed: storage '{name}' does not exist\n");
                return Some(complained(255, text));
            };
            storage.extend(fields);
            Some(printed(""))
        }
        _ => None,
    }
}

fn read(options: &[&str]) -> Option<BTreeMap<String, String>> {
    let pair = |pair: &[&str]| match pair {
        [name, value] => Some((name.strip_prefix("--")?.to_owned(), (*value).to_owned())),
        _ => None,
    };
    options.chunks(2).map(pair).collect()
}

fn add(state: &mut State, name: &str, fields: BTreeMap<String, String>) -> Option<Output> {
    let failed = |code, text: String| Some(complained(code, format!("create storage failed: {text}\n")));
    if state.os.proxmox.as_ref()?.storages.contains_key(name) {
        return failed(255, format!("storage ID '{name}' already defined"));
    }
    if let Some(dataset) = fields.get("pool") {
        let pool = dataset.split('/').next().unwrap_or_default();
        if !state.kernel.pools.iter().any(|there| there.config.name == pool) {
            let error = format!("zfs error: cannot open '{pool}': no such pool\n\n");
            let text = format!(
                "{error}{error}create storage failed: could not activate storage '{name}', zfs error: cannot import '{pool}': no such pool available\n\n"
            );
            return Some(complained(1, text));
        }
    }
    if let (Some(path), Some("yes")) = (fields.get("path"), fields.get("is_mountpoint").map(String::as_str))
        && !state.mounts().iter().any(|mount| mount.target == *path)
    {
        let problem = "directory is expected to be a mount point but is not mounted";
        return failed(
            255,
            format!("unable to activate storage '{name}' - {problem}: '{path}'"),
        );
    }
    state.os.proxmox.as_mut()?.storages.insert(name.to_owned(), fields);
    Some(printed(""))
}

fn get(state: &State, path: &str) -> Option<Value> {
    let proxmox = state.os.proxmox.as_ref()?;
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["storage"] => Some(proxmox.storages.iter().map(row).collect()),
        ["nodes", "localhost", "storage"] => {
            let row = |(name, fields): (&String, &BTreeMap<String, String>)| {
                let active = u8::from(is_active(state, fields));
                json!({"active": active, "enabled": u8::from(!is_disabled(fields)), "storage": name})
            };
            Some(proxmox.storages.iter().map(row).collect())
        }
        ["nodes", "localhost", "storage", name, "content"] => Some(content(proxmox, name)),
        _ => None,
    }
}

fn row((name, fields): (&String, &BTreeMap<String, String>)) -> Value {
    let value = |(key, value): (&String, &String)| match (key.as_str(), value.parse::<u64>()) {
        ("sparse" | "disable" | "shared" | "create-base-path", Ok(number)) => (key.clone(), json!(number)),
        _ => (key.clone(), json!(value)),
    };
    let mut row: serde_json::Map<String, Value> = fields.iter().map(value).collect();
    row.insert("storage".to_owned(), json!(name));
    Value::Object(row)
}

fn is_disabled(fields: &BTreeMap<String, String>) -> bool {
    fields.get("disable").is_some_and(|value| value == "1")
}

fn is_active(state: &State, fields: &BTreeMap<String, String>) -> bool {
    let dataset = |name: &String| {
        let mut all = state.kernel.pools.iter();
        all.any(|pool| pool.contents.dataset(name).is_some())
    };
    let mounted = |path: &String| state.mounts().iter().any(|mount| mount.target == *path);
    let must_be_mounted = fields.get("is_mountpoint").is_some_and(|value| value == "yes");
    let there = fields.get("pool").is_none_or(dataset);
    !is_disabled(fields) && there && (!must_be_mounted || fields.get("path").is_some_and(mounted))
}

fn content(proxmox: &Proxmox, storage: &str) -> Value {
    let volumes = proxmox.volumes.iter();
    let own = volumes.filter(|(id, _)| id.split(':').next() == Some(storage));
    own.map(|(id, content)| json!({"content": content, "volid": id}))
        .collect()
}
