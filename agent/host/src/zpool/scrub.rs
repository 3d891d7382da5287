use crate::Command;

/// The user property by which Debian's own monthly scrub (`/usr/lib/zfs-linux/scrub`, from cron) asks whether it may.
pub const DEBIAN: &str = "org.debian:periodic-scrub";

/// `zpool scrub POOL`: begins one, or goes on with a paused one. It begins one on a degraded pool too, and ends with 0.
#[must_use]
pub fn scrub_command(pool: &str) -> Command {
    Command::new("zpool").args(["scrub", pool])
}
