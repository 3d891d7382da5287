//! The double of `pvesh`: as much of the API as the other doubles have behind it.

mod access;
mod cluster;
mod config;
pub mod digest;
mod disks;
mod guests;
pub mod machine;
mod nodes;
mod resources;
mod storage;

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::output::print;
use crate::{pvecm, qm};

const FORMAT: &str = "output-format noborder noheader quiet human-readable";
/// Options of calls that are no settings of a guest.
const OTHERS: &str = "vmid limit type disk size purge raidlevel devices add_storage compression ashift link0 link1 \
    link2 link3 nodeid votes apiversion new_node_ip noproxy";
/// What `pvesh ls /` shows.
const TOP: &str = "Dr---        access\nDr---        cluster\nDr---        nodes\nDrwcd        pools\n\
                   Dr-c-        storage\n-r---        version\n";

pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    let [verb, path, rest @ ..] = words else {
        return Err(Fault::died("double of pvesh without a path: not built yet"));
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let ["access", below @ ..] = parts.as_slice()
        && let Some(done) = access::run(call, verb, below, rest)
    {
        return done;
    }
    let unknown = || Fault::new(1, format!("No '{verb}' handler defined for '{path}'"));
    if verb == "ls" {
        call.out += &list(call, &parts).ok_or_else(unknown)?;
        return Ok(());
    }
    let options = format!("{FORMAT} {OTHERS} {}", qm::SETTINGS);
    let arguments = Arguments::read(rest, "", &options).map_err(Fault::died)?;
    let answer = match parts.as_slice() {
        ["nodes", node, ..] if *node != "localhost" && *node != call.node => far(call, node, words)?,
        ["nodes", _, rest @ ..] if !rest.is_empty() => machine::run(call, verb, rest, &arguments)?,
        _ if verb == "get" => get(call, &parts, &arguments)?,
        ["cluster", "config", "nodes", node] if verb == "create" => Some(add_node(call, node, &arguments)?),
        _ => None,
    };
    let answer = answer.ok_or_else(unknown)?;
    if !answer.is_null() {
        call.out += &print(&answer, "", &arguments);
    }
    Ok(())
}

/// What another node answers: `pvesh` runs there, over ssh. What is no JSON becomes a text without line ends.
fn far(call: &mut Call, node: &str, words: &[String]) -> Result<Option<Value>, Fault> {
    if !cluster::nodes(call).any(|known| known == node) {
        let problem = "Temporary failure in name resolution";
        let lookup = format!("failed to get address info for: {node}: {problem}");
        return Err(Fault::new(11, format!("hostname lookup '{node}' failed - {lookup}")));
    }
    let address = call.members().pointer(&format!("/nodelist/{node}/ip")).cloned();
    let address = address.as_ref().and_then(Value::as_str).unwrap_or(node);
    let refused = || {
        let problem = format!("ssh: connect to host {address} port 22: Connection refused");
        Fault::died(format!("proxy handler failed: {problem}"))
    };
    let mut other = call.neighbour(node).ok_or_else(refused)?;
    let mut words = words.to_vec();
    words.extend(["--output-format".to_owned(), "json".to_owned()]);
    let outcome = run(&mut other, &words);
    call.err += &other.err;
    outcome?;
    let text = other.out.replace('\n', "");
    if text.is_empty() {
        return Ok(Some(Value::Null));
    }
    Ok(Some(serde_json::from_str(&text).unwrap_or_else(|_| json!(text))))
}

/// A member adds a node: the answer has all that the node needs.
fn add_node(call: &mut Call, node: &str, arguments: &Arguments) -> Result<Value, Fault> {
    let links = pvecm::links::read(arguments);
    let conf = pvecm::nodes::join(call, node, &links, arguments)?;
    let key = call.read(pvecm::KEY).unwrap_or_default();
    Ok(json!({"corosync_authkey": key, "corosync_conf": conf, "warnings": []}))
}

fn list(call: &Call, parts: &[&str]) -> Option<String> {
    match parts {
        [] => Some(TOP.to_owned()),
        ["nodes"] => Some(
            cluster::nodes(call)
                .map(|node| format!("Dr---        {node}\n"))
                .collect(),
        ),
        _ => None,
    }
}

/// The answer of a path; none when the path is unknown.
fn get(call: &mut Call, parts: &[&str], arguments: &Arguments) -> Result<Option<Value>, Fault> {
    match parts {
        ["version"] => Ok(Some(
            json!({"release": "9.1", "repoid": "a8e257e1ad64dd92", "version": "9.1.8"}),
        )),
        ["storage"] => Ok(Some(storage::configured(call))),
        ["storage", id] => storage::one(call, id).map(Some),
        ["nodes"] => Ok(Some(nodes::all(call))),
        ["cluster", "config", "join"] => config::join(call).map(Some),
        ["cluster", "resources"] => Ok(Some(resources::all(call, arguments.get("type")))),
        ["cluster", below @ ..] => Ok(cluster::get(call, below)),
        _ => Ok(None),
    }
}
