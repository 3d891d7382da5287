use crate::Command;

/// `zpool labelclear`: refuses a member of an exported or potentially active pool, and clears that of a destroyed or
/// outdated one without asking.
#[must_use]
pub fn clear_label_command(device: &str) -> Command {
    Command::new("zpool").args(["labelclear", device])
}
