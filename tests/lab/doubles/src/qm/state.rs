//! Whether a guest runs: its number of a process in `/run/qemu-server`, which a reboot clears.

use std::fs;

use crate::call::Call;

fn pid_file(id: &str) -> String {
    format!("/run/qemu-server/{id}.pid")
}

fn paused_file(id: &str) -> String {
    format!("/run/qemu-server/{id}.paused")
}

/// The number of its process; none when it is stopped.
pub fn pid(call: &Call, id: &str) -> Option<u32> {
    call.read(&pid_file(id))?.trim().parse().ok()
}

pub fn is_running(call: &Call, id: &str) -> bool {
    pid(call, id).is_some()
}

/// `running`, `paused` or `stopped`.
pub fn word(call: &Call, id: &str) -> &'static str {
    match is_running(call, id) {
        false => "stopped",
        true if call.place(&paused_file(id)).exists() => "paused",
        true => "running",
    }
}

pub fn start(call: &Call, id: &str) {
    let _ = call.write_here(&pid_file(id), &format!("{}\n", std::process::id()));
}

pub fn stop(call: &Call, id: &str) {
    let _ = fs::remove_file(call.place(&pid_file(id)));
    resume(call, id);
}

pub fn pause(call: &Call, id: &str) {
    let _ = call.write_here(&paused_file(id), "");
}

pub fn resume(call: &Call, id: &str) {
    let _ = fs::remove_file(call.place(&paused_file(id)));
}
