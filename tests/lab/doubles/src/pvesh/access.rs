//! `/access`: the same code as `pveum`.

use serde_json::{Value, json};

use super::FORMAT;
use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::output::print;
use crate::pveum;
use crate::user_cfg::UserCfg;

/// Options of the calls that change something.
const OPTIONS: &str =
    "userid path roles users groups tokens propagate comment email enable expire firstname lastname keys";

/// Runs a call below `/access`; none when it is unknown.
pub fn run(call: &mut Call, verb: &str, below: &[&str], rest: &[String]) -> Option<Result<(), Fault>> {
    match (verb, below) {
        ("get", ["users"]) => Some(as_pveum(call, &["user", "list"], rest)),
        ("get", ["acl"]) => Some(as_pveum(call, &["acl", "list"], rest)),
        ("get", ["groups"]) => Some(as_pveum(call, &["group", "list"], rest)),
        ("get", ["roles"]) => Some(as_pveum(call, &["role", "list"], rest)),
        ("get", ["domains"]) => Some(as_pveum(call, &["realm", "list"], rest)),
        ("get", ["users", name]) => Some(user(call, name, rest)),
        ("create", ["users"]) => Some(change(call, "user add", "userid", rest)),
        ("set", ["acl"]) => Some(change(call, "acl modify", "path", rest)),
        _ => None,
    }
}

fn as_pveum(call: &mut Call, command: &[&str], rest: &[String]) -> Result<(), Fault> {
    let command = command.iter().map(|word| (*word).to_owned());
    let words: Vec<String> = command.chain(rest.iter().cloned()).collect();
    pveum::run(call, &words)
}

/// What `pveum` takes in its place is an option here.
fn change(call: &mut Call, command: &str, position: &str, rest: &[String]) -> Result<(), Fault> {
    let arguments = Arguments::read(rest, "", OPTIONS).map_err(Fault::died)?;
    let mut words: Vec<&str> = command.split(' ').collect();
    words.extend(arguments.get(position));
    let options = arguments.all().filter(|(name, _)| *name != position);
    let options = options.flat_map(|(name, value)| [format!("--{name}"), value.to_owned()]);
    as_pveum(call, &words, &options.collect::<Vec<_>>())
}

fn user(call: &mut Call, name: &str, rest: &[String]) -> Result<(), Fault> {
    let arguments = Arguments::read(rest, "", FORMAT).map_err(Fault::died)?;
    let cfg = UserCfg::load(call);
    let user = cfg.users.get(name);
    let user = user.ok_or_else(|| Fault::died(format!("no such user ('{name}')")))?;
    let groups = cfg.groups.iter().filter(|(_, group)| group.members.contains(name));
    let groups: Vec<&str> = groups.map(|(group, _)| group.as_str()).collect();
    let [enable, expire, ..] = &user.fields;
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    let tokens = user
        .tokens
        .iter()
        .map(|(id, token)| (id.clone(), json!({"privsep": number(&token[1])})));
    let tokens = if user.tokens.is_empty() {
        Value::Null
    } else {
        Value::Object(tokens.collect())
    };
    let row = json!({"enable": number(enable), "expire": number(expire), "groups": groups, "tokens": tokens});
    call.out += &print(&row, "", &arguments);
    Ok(())
}
