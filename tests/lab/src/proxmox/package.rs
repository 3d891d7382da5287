//! One package: a folder with `control`, and what else it needs of `postinst`, `conffiles`, `links` and `tree/`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::{Context, Result};

use super::key::Key;
use crate::run::{must, program};

/// The package that holds the program; the others link to it.
const HOLDER: &str = "libpve-common-perl";
/// The package that holds the key of the repository.
const KEYRING: &str = "proxmox-archive-keyring";
const PROGRAM: &str = "usr/libexec/pve-doubles";

/// Builds the package of a recipe into `pool`. Fails when a file is missing or dpkg-deb fails.
pub fn build(recipe: &Path, doubles: &Path, key: &Key, pool: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let root = work.path();
    let debian = root.join("DEBIAN");
    fs::create_dir(&debian)?;
    let read = |name: &str| fs::read_to_string(recipe.join(name));
    let control = read("control").with_context(|| format!("no control in {}", recipe.display()))?;
    let architecture = must(&mut program("dpkg", ["--print-architecture"]))?;
    let control = control.replace("Architecture: any", &format!("Architecture: {}", architecture.trim()));
    fs::write(debian.join("control"), control)?;
    if let Ok(files) = read("conffiles") {
        fs::write(debian.join("conffiles"), files)?;
    }
    if let Ok(script) = read("postinst") {
        fs::write(debian.join("postinst"), script)?;
        fs::set_permissions(debian.join("postinst"), fs::Permissions::from_mode(0o755))?;
    }
    let tree = recipe.join("tree");
    if tree.exists() {
        must(program("cp", ["-rT"]).arg(tree).arg(root))?;
    }
    let name = recipe.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name {
        HOLDER => {
            put(doubles, &root.join(PROGRAM), 0o755)?;
            // A debug build is large, and a card is slow.
            must(program("strip", ["--"]).arg(root.join(PROGRAM)))?;
        }
        KEYRING => put(
            &key.public(),
            &root.join("usr/share/keyrings/proxmox-archive-keyring.gpg"),
            0o644,
        )?,
        _ => {}
    }
    for link in read("links").unwrap_or_default().lines() {
        let link = root.join(link);
        fs::create_dir_all(link.with_file_name(""))?;
        symlink(format!("/{PROGRAM}"), &link).with_context(|| format!("cannot link {}", link.display()))?;
    }
    let mut build = program("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build"]);
    must(build.arg(root).arg(pool))?;
    Ok(())
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(to.with_file_name(""))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}
