//! `wipefs --no-act`: the signatures on a device.

use crate::ask::{ONE_DISK, ask};
use crate::{Command, RunError, System, json};

/// A signature of a file system, partition table, RAID or pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// As wipefs names it: ext4, gpt, PMBR, LVM2_member, zfs_member…
    pub kind: String,
    /// Its offset in bytes, in hex as wipefs prints it: `0x438`.
    pub offset: String,
}

/// `wipefs --no-act --json DEVICE`: only reads.
pub fn command(device: &str) -> Command {
    Command::look("wipefs")
        .args(["--no-act", "--json", device])
        .timeout(ONE_DISK)
}

/// The signatures on a disk or partition. Fails when the device cannot be opened, or the output cannot be read.
pub async fn signatures(host: &dyn System, device: &str) -> Result<Vec<Signature>, RunError> {
    let command = command(device);
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout)
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Vec<Signature>, RunError> {
    // wipefs prints nothing when there is no signature.
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let value = json::parse(command, text)?;
    if value.get("signatures").is_none() {
        return Err(RunError::unreadable(command, "no signatures in it"));
    }
    json::list(&value, "signatures")
        .iter()
        .map(|signature| {
            let kind = json::text(signature, "type")
                .ok_or_else(|| RunError::unreadable(command, "a signature without a type"))?;
            Ok(Signature {
                kind: kind.to_owned(),
                offset: json::text(signature, "offset").unwrap_or_default().to_owned(),
            })
        })
        .collect()
}
