//! `dkms`: builds modules that come as sources.

use std::time::Duration;

use crate::Command;

/// `dkms autoinstall` for a release of the kernel, which must have its headers. ZFS takes a Raspberry Pi a quarter of an
/// hour.
pub fn autoinstall_command(release: &str) -> Command {
    let command = Command::change("dkms").args(["autoinstall", "-k", release]);
    command.timeout(Duration::from_secs(3600))
}
