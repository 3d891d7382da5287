//! The machine's host name.

use crate::{Command, RunError, System, whole_text};

/// The name that the next boot sets (hostname(5)).
const STATIC: &str = "/etc/hostname";
/// The name that programs read now.
const KERNEL: &str = "/proc/sys/kernel/hostname";

/// The name now, and the one after the next boot; an empty text when there is none. Fails when they cannot be read.
pub async fn now_and_next(host: &dyn System) -> Result<[String; 2], RunError> {
    let now = whole_text(host, KERNEL).await?.unwrap_or_default();
    let next = whole_text(host, STATIC).await?.unwrap_or_default();
    Ok([now, next].map(|text| {
        let mut lines = text.lines().map(str::trim);
        let name = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        name.unwrap_or_default().to_owned()
    }))
}

/// `hostnamectl set-hostname NAME`, which sets both.
pub fn set_command(name: &str) -> Command {
    Command::change("hostnamectl").args(["set-hostname", name])
}
