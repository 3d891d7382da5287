//! `blkdiscard`: the end of what a disk holds.

use std::time::Duration;

use crate::Command;

/// `blkdiscard --zeroout DEVICE`: every byte reads as zero after it; fast where the drive can do it by itself, at its
/// writing speed elsewhere. Refuses a device that is mounted or held.
#[must_use]
pub fn zero_command(device: &str) -> Command {
    Command::new("blkdiscard")
        .args(["--zeroout", device])
        .timeout(Duration::from_secs(6 * 3600))
}
