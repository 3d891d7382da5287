//! Tasks: the work that Proxmox does in a process of its own, with a log in `/var/log/pve/tasks` and a number (UPID).

use std::fs;

use serde_json::{Value, json};

use crate::call::{Call, Fault};

const FOLDER: &str = "/var/log/pve/tasks";
const USER: &str = "root@pam";

/// A task that ended.
pub struct Ended {
    pub upid: String,
    /// Its error, without a line end; none when it went well.
    pub error: Option<String>,
}

/// Runs work as a task. Everything it says goes to stdout and to the log, its error to stderr.
pub fn run(call: &mut Call, kind: &str, id: &str, work: impl FnOnce(&mut Call) -> Result<(), Fault>) -> Ended {
    let started = call.now();
    let pid = std::process::id();
    let upid = format!(
        "UPID:{}:{pid:08X}:{:08X}:{started:08X}:{kind}:{id}:{USER}:",
        call.node,
        uptime()
    );
    let (out, err) = (call.out.len(), call.err.len());
    let outcome = work(call);
    let said = call.err.split_off(err);
    call.out += &said;
    let mut log = call.out.get(out..).unwrap_or_default().to_owned();
    let error = outcome.err().map(|fault| {
        call.fail(&fault);
        fault.text.trim_end().to_owned()
    });
    log += &error
        .as_ref()
        .map_or("TASK OK\n".to_owned(), |error| format!("\nTASK ERROR: {error}\n"));
    let end = format!("{:08X} {}", call.now(), error.as_deref().unwrap_or("OK"));
    let index = call.read(&format!("{FOLDER}/index")).unwrap_or_default();
    let _ = call.write_here(&place(&upid), &log);
    let _ = call.write_here(&format!("{FOLDER}/index"), &format!("{index}{upid} {end}\n"));
    let _ = call.write_here(&format!("{FOLDER}/active"), &format!("{upid} 1 {end}\n"));
    Ended { upid, error }
}

impl Ended {
    /// The exit code of the programs that pass a failure on.
    pub fn or_fail(self) -> Result<(), Fault> {
        self.error.map_or(Ok(()), |_| Err(Fault::silent(255)))
    }
}

/// Hundredths of a second since this machine booted.
fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let text = text.split(' ').next().unwrap_or_default().replace('.', "");
    text.parse().unwrap_or(0)
}

/// The log's path: the folder is the last digit of the start.
fn place(upid: &str) -> String {
    let start = upid.split(':').nth(4).unwrap_or_default();
    let last = start.chars().last().unwrap_or('0');
    format!("{FOLDER}/{last}/{upid}")
}

/// Tasks that ended, newest first.
pub fn list(call: &Call, limit: usize) -> Value {
    let index = call.read(&format!("{FOLDER}/index")).unwrap_or_default();
    let rows = index.lines().rev().filter_map(|line| {
        let (upid, end) = line.split_once(' ')?;
        let (end, status) = end.split_once(' ')?;
        let mut row = about(upid)?;
        let fields = row.as_object_mut()?;
        fields.insert("endtime".to_owned(), json!(u64::from_str_radix(end, 16).ok()?));
        fields.insert("status".to_owned(), json!(status));
        Some(row)
    });
    rows.take(limit).collect()
}

/// How a task ended; none when it is unknown.
pub fn status(call: &Call, upid: &str) -> Option<Value> {
    let log = call.read(&place(upid))?;
    let last = log.lines().last()?;
    let exit = last.strip_prefix("TASK ERROR: ").unwrap_or("OK");
    let mut row = about(upid)?;
    let fields = row.as_object_mut()?;
    fields.insert("exitstatus".to_owned(), json!(exit));
    fields.insert("status".to_owned(), json!("stopped"));
    Some(row)
}

/// The lines of a log with their numbers.
pub fn log(call: &Call, upid: &str) -> Option<Value> {
    let log = call.read(&place(upid))?;
    Some(
        (1..)
            .zip(log.lines())
            .map(|(n, line): (u64, _)| json!({"n": n, "t": line}))
            .collect(),
    )
}

/// What a UPID says of its task.
fn about(upid: &str) -> Option<Value> {
    let parts: Vec<&str> = upid.split(':').collect();
    let [_, node, pid, pstart, start, kind, id, user, ""] = parts.as_slice() else {
        return None;
    };
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    Some(json!({
        "id": id, "node": node, "pid": number(pid)?, "pstart": number(pstart)?, "starttime": number(start)?,
        "type": kind, "upid": upid, "user": user,
    }))
}
