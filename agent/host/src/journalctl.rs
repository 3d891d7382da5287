//! `journalctl`: what a unit printed.

use crate::{Command, System};

/// `journalctl` of the last `count` lines that the unit's own programs printed.
pub fn command(unit: &str, count: u32) -> Command {
    Command::look("journalctl").args([
        "--quiet".to_owned(),
        "--no-pager".to_owned(),
        "--output=cat".to_owned(),
        format!("--lines={count}"),
        format!("_SYSTEMD_UNIT={unit}"),
    ])
}

/// The last lines, at most `count`, without empty ones; empty when there are none or the journal cannot be read.
pub async fn last_lines(host: &dyn System, unit: &str, count: u32) -> String {
    let Ok(output) = host.run(&command(unit, count)).await else {
        return String::new();
    };
    let lines = output.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}
