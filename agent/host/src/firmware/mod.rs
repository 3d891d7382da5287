//! The firmware of a Raspberry Pi: the files that it starts Linux from, and what it says about the board.

mod config_txt;
mod kernel;
mod kernel_line;

use std::path::Path;

use serde_json::Value;

use crate::{Command, RunError, System, json, whole_text};

pub use config_txt::{ConfigTxt, board_of};
pub use kernel::{Flavour, newest, next, page_bytes, running, zfs_command};
pub use kernel_line::{LineError, line_of, tokens_of, with_tokens};

/// The folder with its files: a FAT file system.
pub const FOLDER: &str = "/boot/firmware";
/// Its configuration.
pub const CONFIG: &str = "/boot/firmware/config.txt";
/// The kernel's command line, unless the configuration names another file.
pub const LINE: &str = "/boot/firmware/cmdline.txt";
/// Takes the place of config.txt for one boot, when the restart asked for it.
pub const TRIAL: &str = "/boot/firmware/tryboot.txt";
/// The command line of such a boot.
pub const TRIAL_LINE: &str = "/boot/firmware/heeler-cmdline.txt";

/// Whether the last boot was such a trial. Only a firmware that knows trials has it.
const TRIED: &str = "/proc/device-tree/chosen/bootloader/tryboot";

/// The board's model; None when this is no Raspberry Pi. Fails when the device tree cannot be read.
pub async fn model(host: &dyn System) -> Result<Option<String>, RunError> {
    let model = crate::ask::text(host, "/proc/device-tree/model").await?;
    Ok(model.filter(|model| model.starts_with("Raspberry Pi")))
}

/// Whether the firmware can try a configuration for one boot.
pub async fn can_try(host: &dyn System) -> bool {
    host.mode(Path::new(TRIED)).await.is_ok()
}

/// The command line that the kernel was started with. Fails when it cannot be read.
pub async fn running_line(host: &dyn System) -> Result<String, RunError> {
    Ok(whole_text(host, "/proc/cmdline").await?.unwrap_or_default())
}

/// Whether the kernel counts the memory of control groups, as containers need it. Fails when it cannot be read.
pub async fn counts_memory(host: &dyn System) -> Result<bool, RunError> {
    let controllers = whole_text(host, "/sys/fs/cgroup/cgroup.controllers").await?;
    Ok(controllers
        .unwrap_or_default()
        .split_whitespace()
        .any(|one| one == "memory"))
}

/// `vcgencmd get_throttled`.
pub fn throttled_command() -> Command {
    Command::look("vcgencmd").arg("get_throttled")
}

/// Whether the board's power was too low, now or since the boot (bits 0 and 16; vcgencmd(1)). False when vcgencmd is
/// not installed. Fails when the firmware does not answer.
pub async fn lacks_power(host: &dyn System) -> Result<bool, RunError> {
    let command = throttled_command();
    let output = match host.run(&command).await {
        Err(RunError::Missing { .. }) => return Ok(false),
        other => other?,
    };
    if !output.ok() {
        return Err(RunError::failed(&command, &output));
    }
    let bits = output.stdout.trim().strip_prefix("throttled=0x");
    let bits = bits.and_then(|bits| u32::from_str_radix(bits, 16).ok());
    let bits = bits.ok_or_else(|| RunError::unreadable(&command, "no throttled=0x… in it"))?;
    Ok(bits & 0x1_0001 != 0)
}

/// Whether the firmware in the board's EEPROM is the newest that the node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bootloader {
    /// It is.
    Current,
    /// A newer one can be installed.
    Older,
    /// A newer one exists, and the EEPROM's configuration forbids it.
    Frozen,
    /// The program said nothing about this board, or is not installed.
    Unknown,
    /// The program failed, with this message.
    Failed(String),
}

/// `rpi-eeprom-update`, which only looks without `-a`. Its status goes to its standard output.
pub fn eeprom_command() -> Command {
    Command::look("rpi-eeprom-update").args(["-j", "-m", "/dev/stdout"])
}

/// Asks rpi-eeprom-update: it ends with 0, 1 (an update), 2 (failed) or 3 (frozen); with 0 also for a board that it does
/// not know, and then it writes no status. Fails when the program cannot run.
pub async fn bootloader(host: &dyn System) -> Result<Bootloader, RunError> {
    let output = match host.run(&eeprom_command()).await {
        Err(RunError::Missing { .. }) => return Ok(Bootloader::Unknown),
        other => other?,
    };
    Ok(match output.code {
        0 if has_status(&output.stdout) => Bootloader::Current,
        0 => Bootloader::Unknown,
        1 => Bootloader::Older,
        3 => Bootloader::Frozen,
        _ => Bootloader::Failed(output.complaint()),
    })
}

/// Whether there is a status, as JSON, among the lines for a person.
fn has_status(text: &str) -> bool {
    let json = text
        .find('{')
        .zip(text.rfind('}'))
        .map(|(first, last)| &text[first..=last.max(first)]);
    let status: Option<Value> = json.and_then(|json| serde_json::from_str(json).ok());
    status.is_some_and(|status| json::text(&status, "EXITCODE").is_some())
}
