//! `blkdiscard`: overwrites a disk with zeroes.

use std::time::Duration;

use crate::Command;

/// `blkdiscard --zeroout DEVICE`: all bytes are zero afterwards (blkdiscard(8)). Fast where the drive has a command
/// for it, elsewhere at the drive's writing speed. It refuses a device that is mounted or held open.
pub fn zero_command(device: &str) -> Command {
    Command::change("blkdiscard")
        .args(["--zeroout", device])
        .timeout(Duration::from_secs(6 * 3600))
}
