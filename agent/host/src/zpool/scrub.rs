use crate::Command;

/// The user property that turns off Debian's own monthly scrub (`/usr/lib/zfs-linux/scrub`, from cron).
pub const DEBIAN: &str = "org.debian:periodic-scrub";

/// `zpool scrub POOL`: starts a scrub or continues a paused one; also on a degraded pool, with exit code 0.
pub fn scrub_command(pool: &str) -> Command {
    Command::change("zpool").args(["scrub", pool])
}
