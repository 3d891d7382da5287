//! `sfdisk`: partition tables.

use crate::{Command, RunError, System};

/// `sfdisk --dump DEVICE`: only reads. Its output can restore the table.
pub fn dump_command(device: &str) -> Command {
    Command::look("sfdisk").args(["--dump", device])
}

/// The partition table in sfdisk's format; None when the disk has none. Fails when the program fails for another
/// reason, such as a device that cannot be opened.
pub async fn dump(host: &dyn System, device: &str) -> Result<Option<String>, RunError> {
    let command = dump_command(device);
    let output = host.run(&command).await?;
    match output.code {
        0 => Ok(Some(output.stdout)),
        _ if output.stderr.contains("does not contain a recognized partition table") => Ok(None),
        _ => Err(RunError::failed(&command, &output)),
    }
}
