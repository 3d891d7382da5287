use std::net::IpAddr;

use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;

/// `getent ahosts NAME` and `getent passwd NAME…`; without an answer it prints nothing and ends with 2.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    match args {
        ["ahosts", name] => {
            let line = |at: &IpAddr| format!("{at:15} STREAM {name}\n{at:15} DGRAM  \n{at:15} RAW    \n");
            let lines: String = state.resolve(name).iter().map(line).collect();
            Some(if lines.is_empty() {
                complained(2, "")
            } else {
                printed(lines)
            })
        }
        ["passwd", names @ ..] => {
            let text = state.os.files.text("/etc/passwd").unwrap_or_default();
            let line = |name: &&str| text.lines().find(|line| line.split(':').next() == Some(name));
            let found: Vec<&str> = names.iter().filter_map(line).collect();
            Some(Output {
                code: if found.len() == names.len() { 0 } else { 2 },
                stdout: found.iter().map(|line| format!("{line}\n")).collect(),
                stderr: String::new(),
            })
        }
        _ => None,
    }
}
