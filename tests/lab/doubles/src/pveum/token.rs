//! `pveum user token`: the secret goes to `/etc/pve/priv/token.cfg` and is printed once.

use std::fs::File;
use std::io::Read;

use serde_json::{Value, json};

use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::lock;
use crate::output::print;
use crate::user_cfg::UserCfg;

const SECRETS: &str = "/etc/pve/priv/token.cfg";

pub fn run(call: &mut Call, found: &Found) -> Result<String, Fault> {
    let user = found.required("userid")?;
    let mut cfg = UserCfg::load(call);
    let entry = cfg.users.get_mut(user);
    let tokens = &mut entry
        .ok_or_else(|| Fault::died(format!("no such user ('{user}')")))?
        .tokens;
    match found.command.as_str() {
        "user token list" => {
            let rows: Value = tokens.iter().map(|(id, token)| row(id, token)).collect();
            Ok(print(&rows, "tokenid comment expire privsep", &found.arguments))
        }
        "user token add" => {
            let id = found.required("tokenid")?;
            if tokens.contains_key(id) {
                return Err(found.refuse(&[("tokenid", "Token already exists.".to_owned())]));
            }
            let given = |name| found.arguments.get(name);
            let privsep = given("privsep").unwrap_or("1").to_owned();
            let expire = given("expire").unwrap_or("0").to_owned();
            let comment = given("comment").unwrap_or_default().to_owned();
            tokens.insert(id.to_owned(), [expire, privsep, comment]);
            let mut info = json!({"privsep": given("privsep").map_or(json!(1), |p| json!(p))});
            for name in ["comment", "expire"] {
                if let (Some(value), Some(fields)) = (given(name), info.as_object_mut()) {
                    fields.insert(name.to_owned(), json!(value));
                }
            }
            let full = format!("{user}!{id}");
            let secret = secret()?;
            let _lock = lock::take(call, "file-user_cfg").map_err(|fault| fault.while_doing("generating token"))?;
            let others = others(call, &full);
            call.write(SECRETS, &format!("{others}{full} {secret}\n"))?;
            cfg.save(call)?;
            Ok(print(
                &json!({"full-tokenid": full, "info": info, "value": secret}),
                "",
                &found.arguments,
            ))
        }
        "user token delete" => {
            let id = found.required("tokenid")?;
            if tokens.remove(id).is_none() {
                return Err(Fault::died(format!("no such token '{id}' for user '{user}'")));
            }
            let full = format!("{user}!{id}");
            cfg.acl.retain(|(_, who, _), _| *who != full);
            let _lock = lock::take(call, "file-user_cfg").map_err(|fault| fault.while_doing("deleting token"))?;
            let others = others(call, &full);
            call.write(SECRETS, &others)?;
            cfg.save(call)?;
            Ok(String::new())
        }
        _ => Err(super::not_built(found)),
    }
}

pub fn row(id: &str, [expire, privsep, comment]: &[String; 3]) -> Value {
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    if comment.is_empty() {
        return json!({"expire": number(expire), "privsep": number(privsep), "tokenid": id});
    }
    json!({"comment": comment, "expire": number(expire), "privsep": number(privsep), "tokenid": id})
}

fn others(call: &Call, full: &str) -> String {
    let secrets = call.read(SECRETS).unwrap_or_default();
    let others = secrets.lines().filter(|line| line.split(' ').next() != Some(full));
    others.map(|line| format!("{line}\n")).collect()
}

/// A random UUID.
fn secret() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|e| Fault::died(format!("cannot read /dev/urandom: {e}")))?;
    let number = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    Ok([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
}
