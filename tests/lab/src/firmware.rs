//! What a Pi's firmware does at power-on: reads config.txt, kernel, initramfs and command line from the FAT
//! partition.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::image::FIRMWARE_OFFSET_BYTES;
use crate::run::{must, program};

/// What the firmware starts.
#[derive(Debug)]
pub struct Boot {
    /// Path of the kernel, copied from the card.
    pub kernel: PathBuf,
    /// Path of the initial RAM disk, copied from the card; None when config.txt names none.
    pub initramfs: Option<PathBuf>,
    /// The line of cmdline.txt.
    pub cmdline: String,
}

/// The file names that config.txt selects.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    kernel: String,
    initramfs: Option<String>,
    cmdline: String,
}

/// Reads the card and copies what it starts into `scratch`. Fails when the FAT partition lacks a file that config.txt
/// names.
pub fn power_on(card: &Path, scratch: &Path) -> Result<Boot> {
    let choice = choose(&read(card, "config.txt")?);
    let cmdline = read(card, &choice.cmdline)?
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let fetch = |name: &str| -> Result<PathBuf> {
        let to = scratch.join(name);
        must(program("mcopy", ["-n", "-o", "-i", &fat(card), &format!("::/{name}")]).arg(&to))
            .with_context(|| format!("the firmware finds no {name} on {}", card.display()))?;
        Ok(to)
    };
    let initramfs = choice.initramfs.as_deref().map(fetch).transpose()?;
    Ok(Boot {
        kernel: fetch(&choice.kernel)?,
        initramfs,
        cmdline,
    })
}

/// Writes a file to the card's FAT partition; replaces an existing one. Fails when mtools cannot write it.
pub fn write(card: &Path, name: &str, content: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("content");
    std::fs::write(&file, content)?;
    must(
        program("mcopy", ["-o", "-i", &fat(card)])
            .arg(&file)
            .arg(format!("::/{name}")),
    )?;
    Ok(())
}

/// Reads a text file of the card's FAT partition. Fails when it does not exist.
pub fn read(card: &Path, name: &str) -> Result<String> {
    must(&mut program("mtype", ["-i", &fat(card), &format!("::/{name}")]))
}

fn fat(card: &Path) -> String {
    format!("{}@@{FIRMWARE_OFFSET_BYTES}", card.display())
}

/// Reads config.txt as a Pi 5 does, for the keys that the lab uses: the last line wins, and of the conditional
/// sections only `[all]` and `[pi5]` count.
fn choose(config: &str) -> Choice {
    let mut choice = Choice {
        kernel: "kernel8.img".to_owned(),
        initramfs: None,
        cmdline: "cmdline.txt".to_owned(),
    };
    let mut ours = true;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            ours = matches!(section.trim_end_matches(']'), "all" | "pi5");
        } else if !ours || line.starts_with('#') {
            continue;
        } else if let Some(name) = line.strip_prefix("kernel=") {
            choice.kernel = name.to_owned();
        } else if let Some(name) = line.strip_prefix("cmdline=") {
            choice.cmdline = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("initramfs ") {
            choice.initramfs = rest.split_whitespace().next().map(str::to_owned);
        } else if line == "auto_initramfs=1" {
            choice.initramfs = Some("initramfs8".to_owned());
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::{Choice, choose};

    #[test]
    fn the_last_line_that_applies_to_a_pi_5_wins() {
        let config = "kernel=a.img\n[pi4]\nkernel=b.img\n[pi5]\n#kernel=c.img\ninitramfs i8 followkernel\n[all]\ncmdline=x.txt\n";
        let expected = Choice {
            kernel: "a.img".into(),
            initramfs: Some("i8".into()),
            cmdline: "x.txt".into(),
        };
        assert_eq!(choose(config), expected);
    }

    #[test]
    fn an_empty_config_starts_the_default_kernel_without_an_initramfs() {
        let expected = Choice {
            kernel: "kernel8.img".into(),
            initramfs: None,
            cmdline: "cmdline.txt".into(),
        };
        assert_eq!(choose(""), expected);
    }
}
