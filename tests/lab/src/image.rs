//! The disk image of a fresh node: made once from the recipe in `image/`, then copied for each node.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::run::{must, program};
use crate::{cache, mirror};

/// Offset of the FAT partition in the image, in bytes.
pub const FIRMWARE_OFFSET_BYTES: u64 = 1 << 20;
const FIRMWARE_SIZE_BYTES: u64 = 512 << 20;
const ROOT_OFFSET_BYTES: u64 = FIRMWARE_OFFSET_BYTES + FIRMWARE_SIZE_BYTES;
const ROOT_SIZE_BYTES: u64 = 6 << 30;
const DISK_ID: &str = "0x4845454c";
const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The finished image of the current recipe. Making the first one takes about six minutes, mostly to compile the ZFS
/// module; a change that needs no new packages takes one minute. Fails when it must be made and this is not root, or a
/// step fails.
pub fn ensure() -> Result<PathBuf> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("image");
    let folder = cache::folder()?;
    let name = format!("node-{}.img", cache::hash_of_tree(&recipe)?);
    made_once(&folder, &name, |work| {
        let base = base(&recipe, &folder)?;
        let root = work.join("root");
        must(program("cp", ["--archive", "--reflink=auto"]).arg(base).arg(&root))?;
        must(
            program("cp", ["--archive", "--no-preserve=ownership"])
                .arg(recipe.join("tree/."))
                .arg(&root),
        )?;
        fs::copy(recipe.join("customise.sh"), root.join("customise.sh"))?;
        must(program("chroot", [&root]).args(["sh", "/customise.sh"]))?;
        fs::remove_file(root.join("customise.sh"))?;
        let image = work.join("disk.img");
        partition(&image)?;
        fill(&root, &image)?;
        Ok(image)
    })
}

/// Installs the packages below a folder: the slowest part, which changes least.
fn base(recipe: &Path, folder: &Path) -> Result<PathBuf> {
    let packages = fs::read_to_string(recipe.join("packages"))?;
    let packages: Vec<&str> = packages
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let name = format!("base-{}", cache::hash(&packages));
    made_once(folder, &name, |work| {
        let mirror = mirror::of_this_machine()?;
        let (root, log) = (work.join("root"), work.join("mmdebstrap.log"));
        let mut build = program(
            "mmdebstrap",
            ["--mode=root", "--variant=important", "--components=main,contrib"],
        );
        build.args(mirror.options.iter().map(|option| format!("--aptopt={option}")));
        build.arg(format!("--include={}", packages.join(",")));
        build
            .arg(SUITE)
            .arg(&root)
            .arg(format!("deb [signed-by={KEYRING}] {} {SUITE} main contrib", mirror.uri));
        build
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let status = build.status().context("cannot start mmdebstrap")?;
        if !status.success() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let tail: Vec<&str> = said.lines().rev().take(15).collect();
            bail!(
                "mmdebstrap failed ({status}); its last lines, newest first:\n{}",
                tail.join("\n")
            );
        }
        Ok(root)
    })
}

/// The cached result of that name. If there is none, `make` makes it in a scratch folder while other processes wait.
fn made_once(folder: &Path, name: &str, make: impl FnOnce(&Path) -> Result<PathBuf>) -> Result<PathBuf> {
    let finished = folder.join(name);
    if finished.exists() {
        return Ok(finished);
    }
    let _lock = cache::lock(folder, name)?;
    if finished.exists() {
        return Ok(finished);
    }
    if !geteuid().is_root() {
        bail!("the node image is not made yet, and making it needs root once: sudo -E cargo xtask lab image");
    }
    // Left by a killed process: we have the lock, so no other is at work.
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&format!("{name}.")) && entry.path().is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    eprintln!("making {} (once)", finished.display());
    let work = tempfile::Builder::new()
        .prefix(&format!("{name}."))
        .tempdir_in(folder)?;
    let made = make(work.path())?;
    fs::rename(&made, &finished).with_context(|| format!("cannot put {} in place", finished.display()))?;
    Ok(finished)
}

/// Partitions a card with a FAT and a Linux partition, like the Pi's image.
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

/// Makes both file systems; `/boot/firmware` and the kernel go to the FAT one.
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
