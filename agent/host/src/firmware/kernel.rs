use super::{ConfigTxt, board_of};
use crate::ask::{ask, names};
use crate::{Command, RunError, System, whole_text};

/// A kernel of Raspberry Pi OS; each flavour has a file of its own on the boot partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// For every model, with pages of 4 KiB.
    V8,
    /// For a Raspberry Pi 5, with pages of 16 KiB.
    Pi5,
}

impl Flavour {
    /// Its file on the boot partition.
    pub const fn kernel(self) -> &'static str {
        match self {
            Self::V8 => "kernel8.img",
            Self::Pi5 => "kernel_2712.img",
        }
    }

    /// The initramfs beside it, which `auto_initramfs=1` loads with it.
    pub const fn initramfs(self) -> &'static str {
        match self {
            Self::V8 => "initramfs8",
            Self::Pi5 => "initramfs_2712",
        }
    }

    /// How the names of its releases and packages end: `6.12.47+rpt-rpi-v8`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::V8 => "rpi-v8",
            Self::Pi5 => "rpi-2712",
        }
    }

    /// Its page size in bytes.
    pub const fn page_bytes(self) -> u64 {
        match self {
            Self::V8 => 4096,
            Self::Pi5 => 16384,
        }
    }
}

/// The page size of the running kernel in bytes. Fails when getconf does.
pub async fn page_bytes(host: &dyn System) -> Result<u64, RunError> {
    let command = Command::look("getconf").arg("PAGESIZE");
    let output = ask(host, &command).await?;
    let bytes = output.stdout.trim().parse();
    bytes.map_err(|_| RunError::unreadable(&command, "it is no number"))
}

/// The release of the running kernel. Fails when uname does.
pub async fn running(host: &dyn System) -> Result<String, RunError> {
    let output = ask(host, &Command::look("uname").arg("-r")).await?;
    Ok(output.stdout.trim().to_owned())
}

/// The newest release of a flavour that is installed: the one on the boot partition. Fails when the folder of modules
/// cannot be read.
pub async fn newest(host: &dyn System, flavour: Flavour) -> Result<Option<String>, RunError> {
    let all = names(host, "/lib/modules").await?.unwrap_or_default();
    let of = all
        .into_iter()
        .filter(|name| name.ends_with(&format!("-{}", flavour.suffix())));
    Ok(of.max_by_key(|name| numbers(name)))
}

/// The release of the kernel that the next boot starts: on a Raspberry Pi the newest of the flavour that config.txt names
/// (with `trial`, tryboot.txt), elsewhere the newest below /boot. Fails when the files cannot be read.
pub async fn next(host: &dyn System, trial: bool) -> Result<String, RunError> {
    let found = match super::model(host).await? {
        Some(model) => {
            let file = if trial { super::TRIAL } else { super::CONFIG };
            let text = whole_text(host, file).await?.unwrap_or_default();
            let board = board_of(&model);
            let config = ConfigTxt { text: &text, board };
            let usual = if board == Some("pi5") {
                Flavour::Pi5
            } else {
                Flavour::V8
            };
            let kernel = config.value("kernel").unwrap_or(usual.kernel());
            let named = [Flavour::V8, Flavour::Pi5]
                .into_iter()
                .find(|one| one.kernel() == kernel);
            match named {
                Some(flavour) => newest(host, flavour).await?,
                None => None,
            }
        }
        None => {
            let all = names(host, "/boot").await?.unwrap_or_default();
            let releases = all.iter().filter_map(|name| name.strip_prefix("vmlinuz-"));
            releases.max_by_key(|release| numbers(release)).map(str::to_owned)
        }
    };
    match found {
        Some(release) => Ok(release),
        None => running(host).await,
    }
}

/// The numbers in a release, in order, so that 6.12.47 is after 6.6.51.
fn numbers(release: &str) -> Vec<u64> {
    let numbers = release.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// `modinfo` of ZFS's module for a release; it ends with 1 when there is none.
pub fn zfs_command(release: &str) -> Command {
    Command::look("modinfo").args(["-k", release, "-F", "version", "zfs"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        assert!(numbers("6.12.47+rpt-rpi-v8") > numbers("6.6.51+rpt-rpi-v8"));
        assert!(numbers("6.12.47+rpt2-rpi-v8") > numbers("6.12.47+rpt1-rpi-v8"));
    }
}
