//! `pveum realm`: kept in `/etc/pve/domains.cfg`, which is missing until the first change.

use serde_json::{Value, json};

use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::lock;
use crate::output::print;

const PATH: &str = "/etc/pve/domains.cfg";
const AT_FIRST: &str = "pam: pam\n\tcomment Linux PAM standard authentication\n\n\
                        pve: pve\n\tcomment Proxmox VE authentication server\n\n";

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    let mut realms = load(call);
    match found.command.as_str() {
        "realm list" => {
            let row = |r: &Realm| json!({"comment": r.comment, "realm": r.name, "type": r.kind});
            let rows: Value = realms.iter().map(row).collect();
            Ok(print(&rows, "realm type comment tfa", &found.arguments))
        }
        "realm modify" => {
            let name = found.required("realm")?;
            let _lock =
                lock::take(call, "file-domains_cfg").map_err(|fault| fault.while_doing("update auth server"))?;
            let missing = || Fault::died(format!("update auth server failed: domain '{name}' does not exist"));
            let realm = realms.iter_mut().find(|r| r.name == name).ok_or_else(missing)?;
            if let Some(comment) = found.arguments.get("comment") {
                comment.clone_into(&mut realm.comment);
            }
            let text = |r: &Realm| format!("{}: {}\n\tcomment {}\n\n", r.kind, r.name, r.comment);
            call.write(PATH, &realms.iter().map(text).collect::<String>())?;
            Ok(String::new())
        }
        _ => Err(super::not_built(found)),
    }
}

struct Realm {
    kind: String,
    name: String,
    comment: String,
}

fn load(call: &Call) -> Vec<Realm> {
    let text = call.read(PATH).unwrap_or_else(|| AT_FIRST.to_owned());
    let mut realms: Vec<Realm> = Vec::new();
    for line in text.lines() {
        if let (Some(comment), Some(last)) = (line.strip_prefix("\tcomment "), realms.last_mut()) {
            comment.clone_into(&mut last.comment);
        } else if let Some((kind, name)) = line.split_once(": ").filter(|_| !line.starts_with('\t')) {
            realms.push(Realm {
                kind: kind.to_owned(),
                name: name.to_owned(),
                comment: String::new(),
            });
        }
    }
    realms
}

/// The type of a realm; none when nobody knows it.
pub fn kind(call: &Call, name: &str) -> Option<String> {
    load(call)
        .into_iter()
        .find(|realm| realm.name == name)
        .map(|realm| realm.kind)
}
