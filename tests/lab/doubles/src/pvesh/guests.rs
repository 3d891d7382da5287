//! `/nodes/NODE/qemu`: the same work as `qm`, but a failed task ends with 0.

use serde_json::{Map, Value, json};

use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::qm::{self, conf, create, disks, power, set, show};
use crate::task;

/// An answer for a verb and what follows `qemu`; none when the path is unknown.
pub fn run(call: &mut Call, verb: &str, below: &[&str], arguments: &Arguments) -> Result<Option<Value>, Fault> {
    let task = |ended: task::Ended| Ok(Some(json!(ended.upid)));
    match (verb, below) {
        ("get", []) => Ok(Some(list(call))),
        ("get", [id, "config"]) => Ok(Some(conf::Conf::load(call, id)?.answer())),
        ("get", [id, "pending"]) => Ok(Some(show::pending_rows(&conf::Conf::load(call, id)?))),
        ("get", [id, "status", "current"]) => Ok(Some(current(call, id)?)),
        ("create", []) => {
            let problems = qm::problems(arguments);
            if let Some((name, problem)) = problems.first() {
                let usage = "pvesh create /nodes/<node>/qemu --vmid <integer> [OPTIONS] [FORMAT_OPTIONS]";
                let text = format!("400 Parameter verification failed.\n{name}: {problem}\n{usage}");
                return Err(Fault::new(2, text));
            }
            let id = arguments.get("vmid").unwrap_or_default().to_owned();
            task(create::create(call, &id, arguments)?)
        }
        ("create", [id, "status", verb]) => {
            conf::Conf::load(call, id)?;
            task(power::run(call, verb, id))
        }
        ("set" | "create", [id, "config"]) => {
            set::change(call, id, arguments)?;
            Ok(Some(Value::Null))
        }
        ("set", [id, "resize"]) => {
            conf::Conf::load(call, id)?;
            let given = |name| arguments.get(name).unwrap_or_default().to_owned();
            let (disk, size) = (given("disk"), given("size"));
            task(task::run(call, "resize", id, |call| {
                disks::resize(call, id, &disk, &size)
            }))
        }
        ("delete", [id]) => task(create::destroy(call, id, arguments.is_set("purge"))?),
        _ => Ok(None),
    }
}

fn list(call: &Call) -> Value {
    let guests = conf::all(call, &call.node).into_iter();
    let row = |(id, conf): (String, conf::Conf)| {
        let mut row = show::row(call, &id, &conf);
        row.insert("cpu".to_owned(), json!(0));
        Value::Object(sorted(row))
    };
    guests.map(row).collect()
}

fn current(call: &Call, id: &str) -> Result<Value, Fault> {
    let conf = conf::Conf::load(call, id)?;
    let mut row = show::figures(call, id, &conf);
    if conf
        .get("agent")
        .is_some_and(|agent| agent.starts_with("enabled=1") || agent.starts_with('1'))
    {
        row.insert("agent".to_owned(), json!(1));
    }
    row.insert("clipboard".to_owned(), Value::Null);
    row.insert("cpu".to_owned(), json!(0));
    row.insert("ha".to_owned(), json!({"managed": 0}));
    Ok(Value::Object(sorted(row)))
}

fn sorted(row: Map<String, Value>) -> Map<String, Value> {
    let sorted: std::collections::BTreeMap<String, Value> = row.into_iter().collect();
    sorted.into_iter().collect()
}
