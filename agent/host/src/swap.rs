//! Swap: what is in use (proc(5)), and who sets it up on Raspberry Pi OS.

use std::path::Path;
use std::time::Duration;

use crate::{Command, RunError, System, whole_text};

/// Heeler's own settings of rpi-swap, which Raspberry Pi OS has since Debian 13 (swap.conf(5)). They take effect at the
/// next boot.
pub const SETTINGS: &str = "/etc/rpi/swap.conf.d/90-heeler.conf";
/// No swap at all.
pub const OFF: &str = "[Main]\nMechanism=none\n";
/// The service that sets swap up on Raspberry Pi OS before Debian 13.
pub const OLDER: &str = "dphys-swapfile.service";

const GENERATOR: &str = "/usr/lib/systemd/system-generators/rpi-swap-generator";

/// Whether rpi-swap is installed.
pub async fn has_rpi_swap(host: &dyn System) -> bool {
    host.mode(Path::new(GENERATOR)).await.is_ok()
}

/// The devices and files in use as swap. Fails when the kernel's list cannot be read.
pub async fn in_use(host: &dyn System) -> Result<Vec<String>, RunError> {
    let text = whole_text(host, "/proc/swaps").await?.unwrap_or_default();
    let first = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    Ok(first.map(str::to_owned).collect())
}

/// The first line of /etc/fstab that sets up swap at boot (fstab(5)); None when there is none. Fails when it cannot be
/// read.
pub async fn in_fstab(host: &dyn System) -> Result<Option<String>, RunError> {
    let text = whole_text(host, "/etc/fstab").await?.unwrap_or_default();
    Ok(text.lines().find(|line| sets_up(line)).map(str::to_owned))
}

fn sets_up(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let options = words.get(3).copied().unwrap_or_default();
    !line.trim_start().starts_with('#')
        && words.get(2) == Some(&"swap")
        && !options.split(',').any(|one| one == "noauto")
}

/// `swapoff DEVICE`, which moves all that is there into memory first.
pub fn off_command(device: &str) -> Command {
    Command::change("swapoff").arg(device).timeout(Duration::from_secs(600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_swap_of_each_boot_counts() {
        assert!(sets_up("UUID=1 none swap sw 0 0"));
        assert!(sets_up("/swap.img\tnone\tswap\tdefaults"));
        for line in [
            "# UUID=1 none swap sw 0 0",
            "/dev/sda1 none swap noauto,sw 0 0",
            "/dev/sda1 /swap ext4 defaults 0 1",
            "",
        ] {
            assert!(!sets_up(line), "{line}");
        }
    }
}
