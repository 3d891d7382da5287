//! systemd's journal (journald.conf(5)): where it is kept, and how large it may become.

use std::path::Path;

use serde_json::Value;

use crate::{Command, RunError, System, json};

/// The folder of an administrator's settings. Files of all such folders are read in the order of their names, and the
/// last one wins.
pub const FOLDER: &str = "/etc/systemd/journald.conf.d";
/// The name of Heeler's own settings in it: after those of Raspberry Pi OS (40-rpi-volatile-storage.conf).
pub const NAME: &str = "90-heeler.conf";
/// The service.
pub const SERVICE: &str = "systemd-journald.service";

/// What journald says at each start about its limits (sd-messages.h: SD_MESSAGE_JOURNAL_USAGE).
const USAGE: &str = "MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6";

/// Where a journal is, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whether it is below /run, and lost with a reboot; if not, it is on the root file system.
    pub in_memory: bool,
    /// The most bytes that it may use.
    pub most_bytes: u64,
}

impl Place {
    /// The settings for it.
    pub fn settings(self) -> String {
        let mib = self.most_bytes >> 20;
        match self.in_memory {
            true => format!("[Journal]\nStorage=volatile\nRuntimeMaxUse={mib}M\n"),
            false => format!("[Journal]\nStorage=persistent\nSystemMaxUse={mib}M\n"),
        }
    }
}

/// `journalctl` of the last thing that journald said about its limits since the boot.
pub fn usage_command() -> Command {
    Command::look("journalctl").args([
        "--quiet",
        "--no-pager",
        "--boot",
        "--output=json",
        "--output-fields=JOURNAL_NAME,MAX_USE",
        "--lines=1",
        USAGE,
    ])
}

/// `journalctl --flush`: moves the journal from memory to the card, when it is to be there.
pub fn flush_command() -> Command {
    Command::change("journalctl").arg("--flush")
}

/// Where journald keeps the journal now; None when the journal is so long that it no longer says. Fails when it cannot
/// be read.
pub async fn place(host: &dyn System) -> Result<Option<Place>, RunError> {
    let command = usage_command();
    let output = host.run(&command).await?;
    // Without a match it prints nothing.
    let Some(line) = output.stdout.lines().rfind(|line| !line.trim().is_empty()) else {
        return match output.stderr.trim().is_empty() {
            true => Ok(None),
            false => Err(RunError::failed(&command, &output)),
        };
    };
    let said: Value = json::parse(&command, line)?;
    let most_bytes = json::number(&said, "MAX_USE");
    let in_memory = match json::text(&said, "JOURNAL_NAME") {
        Some("Runtime Journal") => Some(true),
        Some("System Journal") => Some(false),
        _ => None,
    };
    match (in_memory, most_bytes) {
        (Some(in_memory), Some(most_bytes)) => Ok(Some(Place { in_memory, most_bytes })),
        _ => Err(RunError::unreadable(&command, "it names no journal and limit")),
    }
}

/// The path of the first settings of others that are read after Heeler's and decide the same. Fails when they cannot be
/// read.
pub async fn overruled_by(host: &dyn System) -> Result<Option<String>, RunError> {
    for folder in [
        FOLDER,
        "/run/systemd/journald.conf.d",
        "/usr/lib/systemd/journald.conf.d",
    ] {
        for name in crate::ask::names(host, folder).await?.unwrap_or_default() {
            let path = format!("{folder}/{name}");
            let later = name.as_str() > NAME && Path::new(&name).extension().is_some_and(|end| end == "conf");
            if later && decides(&crate::whole_text(host, &path).await?.unwrap_or_default()) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

fn decides(text: &str) -> bool {
    let keys = ["Storage", "RuntimeMaxUse", "SystemMaxUse"];
    text.lines()
        .filter_map(|line| line.split_once('='))
        .any(|(key, _)| keys.contains(&key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_decides_nothing() {
        assert!(decides("[Journal]\nStorage = auto\n"));
        assert!(!decides("[Journal]\n#Storage=auto\nSystemMaxFileSize=1M\n"));
    }
}
