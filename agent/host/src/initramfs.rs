//! `update-initramfs` of Debian's initramfs-tools, and its configuration.

use std::path::Path;
use std::time::Duration;

use crate::ask::{ask, text};
use crate::{Command, RunError, System};

/// Its configuration, which it reads as a shell script when it is there.
pub const CONF: &str = "/etc/initramfs-tools/update-initramfs.conf";

/// That file as initramfs-tools 0.148.3 has it.
pub const PACKAGED: &str = "\
#
# Configuration file for update-initramfs(8)
#

#
# update_initramfs [ yes | all | no ]
#
# Default is yes
# If set to all update-initramfs will update all initramfs
# If set to no disables any update to initramfs beside kernel upgrade

update_initramfs=yes

#
# backup_initramfs [ yes | no ]
#
# Default is no
# If set to no leaves no .bak backup files.

backup_initramfs=no
";

const PROGRAM: &str = "/usr/sbin/update-initramfs";
/// A Raspberry Pi's boot partition.
const FIRMWARE: &str = "/boot/firmware";

/// Whether a text is a configuration that the program can read: ASCII, with one of the known values.
pub fn is_valid(conf: &[u8]) -> bool {
    let known = ["yes", "no", "all"];
    let text = std::str::from_utf8(conf)
        .ok()
        .filter(|text| text.is_ascii() && !text.contains('\0'));
    let values = text
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("update_initramfs="));
    values.into_iter().any(|value| known.contains(&value))
}

/// Whether the program is installed.
pub async fn is_installed(host: &dyn System) -> bool {
    host.mode(Path::new(PROGRAM)).await.is_ok()
}

/// `update-initramfs -u -k all`: makes those of all kernels again. A Raspberry Pi takes a minute for each.
pub fn update_command() -> Command {
    let time = Duration::from_secs(1800);
    Command::change("update-initramfs")
        .args(["-u", "-k", "all"])
        .timeout(time)
}

/// The path of the initramfs that a Raspberry Pi's firmware loads for the running kernel, if it is not there; None on
/// another machine, and where config.txt does not ask for it. Fails when the machine cannot be looked at.
pub async fn missing(host: &dyn System) -> Result<Option<String>, RunError> {
    let config = text(host, format!("{FIRMWARE}/config.txt")).await?.unwrap_or_default();
    if !config.lines().any(|line| line.trim() == "auto_initramfs=1") {
        return Ok(None);
    }
    let kernel = ask(host, &Command::look("uname").arg("-r")).await?.stdout;
    // As Raspberry Pi's packages name them (RPi-Distro/firmware, z50-raspi-firmware).
    let name = match kernel.trim().rsplit_once("-rpi-") {
        Some((_, "2712")) => "initramfs_2712",
        Some((_, "v8")) => "initramfs8",
        _ => return Ok(None),
    };
    let path = format!("{FIRMWARE}/{name}");
    let there = host.mode(Path::new(&path)).await.is_ok();
    Ok((!there).then_some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_ascii_with_a_known_value() {
        assert!(is_valid(PACKAGED.as_bytes()));
        for value in ["yes", "no", "all"] {
            assert!(is_valid(format!("# mine\nupdate_initramfs={value}\n").as_bytes()));
        }
        let damaged = b"\x80\x8aE\xdd\x9e1i\0\0\x81\x951i\0\0";
        let half = [PACKAGED.as_bytes(), &[0; 8]].concat();
        for bad in [
            &damaged[..],
            &half,
            b"",
            b"update_initramfs=maybe\n",
            b"#update_initramfs=yes\n",
            b"update_initramfs=yes\n# \xc3\xa9\n",
        ] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }
}
