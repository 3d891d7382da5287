//! The disk image of a fresh node: made once from the recipe in `image/`, then copied for each node.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::run::{must, program};
use crate::{cache, mirror};

/// Where the FAT partition starts on the image, in bytes.
pub const FIRMWARE_OFFSET_BYTES: u64 = 1 << 20;
const FIRMWARE_SIZE_BYTES: u64 = 512 << 20;
const ROOT_OFFSET_BYTES: u64 = FIRMWARE_OFFSET_BYTES + FIRMWARE_SIZE_BYTES;
const ROOT_SIZE_BYTES: u64 = 6 << 30;
const DISK_ID: &str = "0x4845454c";
const SUITE: &str = "trixie";

/// The finished image of the present recipe; makes it (about four minutes) when the cache has none.
///
/// # Errors
/// When it has to be made and this is not root, or a step of making it fails.
pub fn ensure() -> Result<PathBuf> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("image");
    let folder = cache::folder()?;
    let name = format!("node-{}", cache::hash_of_tree(&recipe)?);
    let finished = folder.join(format!("{name}.img"));
    if finished.exists() {
        return Ok(finished);
    }
    let _lock = cache::lock(&folder, &name)?;
    if finished.exists() {
        return Ok(finished);
    }
    if !geteuid().is_root() {
        bail!("the node image is not made yet, and making it needs root once: sudo -E cargo xtask lab image");
    }
    forget_the_interrupted(&folder, &format!("{name}."))?;
    eprintln!(
        "making the node image {} (about four minutes, once)",
        finished.display()
    );
    let work = tempfile::Builder::new()
        .prefix(&format!("{name}."))
        .tempdir_in(&folder)?;
    let root = work.path().join("root");
    install(&recipe, &root, &work.path().join("mmdebstrap.log"))?;
    let image = work.path().join("disk.img");
    partition(&image)?;
    fill(&root, &image)?;
    fs::rename(&image, &finished).with_context(|| format!("cannot put {} in place", finished.display()))?;
    Ok(finished)
}

/// Removes what a killed maker of this image left; the lock is ours, so none is at work.
fn forget_the_interrupted(folder: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) && entry.path().is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Installs the packages, lays the tree over them and runs the last script inside.
fn install(recipe: &Path, root: &Path, log: &Path) -> Result<()> {
    let mirror = mirror::of_this_machine()?;
    let packages = fs::read_to_string(recipe.join("packages"))?;
    let packages: Vec<&str> = packages
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let tree = recipe.join("tree");
    let mut build = program(
        "mmdebstrap",
        ["--mode=root", "--variant=important", "--components=main,contrib"],
    );
    build.args(mirror.options.iter().map(|option| format!("--aptopt={option}")));
    build.arg(format!("--include={}", packages.join(",")));
    build.arg(format!("--customize-hook=sync-in {} /", tree.display()));
    build.arg(format!(
        "--customize-hook=upload {} /customise.sh",
        recipe.join("customise.sh").display()
    ));
    build.arg("--customize-hook=chroot \"$1\" sh /customise.sh && rm \"$1/customise.sh\"");
    build.arg(SUITE).arg(root);
    build.arg(format!(
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {} {SUITE} main contrib",
        mirror.uri
    ));
    build
        .stdout(File::create(log)?)
        .stderr(File::options().append(true).open(log)?);
    let status = build.status().context("cannot start mmdebstrap")?;
    if !status.success() {
        let said = fs::read_to_string(log).unwrap_or_default();
        let tail: Vec<&str> = said.lines().rev().take(15).collect();
        bail!(
            "mmdebstrap failed ({status}); its last lines, newest first:\n{}",
            tail.join("\n")
        );
    }
    Ok(())
}

/// A card with a FAT partition and a Linux partition, as the Pi's image has it.
fn partition(image: &Path) -> Result<()> {
    use std::io::Write;
    File::create(image)?.set_len(ROOT_OFFSET_BYTES + ROOT_SIZE_BYTES)?;
    let mut sfdisk = program("sfdisk", ["--quiet"])
        .arg(image)
        .stdin(std::process::Stdio::piped())
        .spawn()?;
    let table = format!(
        "label: dos\nlabel-id: {DISK_ID}\nunit: sectors\nsector-size: 512\n{}, {}, c\n{}, , 83\n",
        FIRMWARE_OFFSET_BYTES / 512,
        FIRMWARE_SIZE_BYTES / 512,
        ROOT_OFFSET_BYTES / 512,
    );
    sfdisk
        .stdin
        .take()
        .context("sfdisk has no standard input")?
        .write_all(table.as_bytes())?;
    if !sfdisk.wait()?.success() {
        bail!("sfdisk could not partition {}", image.display());
    }
    Ok(())
}

/// Makes both file systems: what lies below `/boot/firmware`, with the kernel, goes to the FAT one.
fn fill(root: &Path, image: &Path) -> Result<()> {
    let firmware = root.join("boot/firmware");
    for (from, to) in [("vmlinuz-", "kernel8.img"), ("initrd.img-", "initramfs8")] {
        fs::copy(newest(&root.join("boot"), from)?, firmware.join(to))?;
    }
    let sectors = (FIRMWARE_OFFSET_BYTES / 512).to_string();
    let blocks = (FIRMWARE_SIZE_BYTES / 1024).to_string();
    must(
        program("mkfs.vfat", ["-F", "32", "-n", "bootfs", "--offset", &sectors])
            .arg(image)
            .arg(blocks),
    )?;
    let fat = format!("{}@@{FIRMWARE_OFFSET_BYTES}", image.display());
    let files: Vec<PathBuf> = fs::read_dir(&firmware)?.flatten().map(|entry| entry.path()).collect();
    must(program("mcopy", ["-i", &fat]).args(&files).arg("::/"))?;
    for file in files {
        fs::remove_file(file)?;
    }
    let offset = format!("offset={ROOT_OFFSET_BYTES}");
    let mut mke2fs = program(
        "mke2fs",
        ["-q", "-F", "-t", "ext4", "-L", "rootfs", "-E", &offset, "-d"],
    );
    must(mke2fs.arg(root).arg(image).arg(format!("{}k", ROOT_SIZE_BYTES / 1024)))?;
    Ok(())
}

fn newest(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
        .pop()
        .with_context(|| format!("no {prefix}* in {}: the image has no kernel", folder.display()))
}
