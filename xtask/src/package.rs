//! Debian packages out of packaging/: the arm64 agent, and the coordinator for this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{run, size};

/// Builds both packages into `target/deb`.
pub fn run() -> Result<()> {
    let out = run::target_dir().join("deb");
    fs::create_dir_all(&out)?;
    let architecture = run::output(run::program("dpkg").arg("--print-architecture"))?;
    run::run(run::cargo().args(["build", "--locked", "--release", "--package", "heeler"]))?;
    let agent = size::build_agent()?;
    let heeler = run::target_dir().join("release/heeler");
    let for_first_contact = "usr/lib/heeler/heeler-agent-aarch64";
    package("agent", "arm64", &[(&agent, "usr/bin/heeler-agent")], &out)?;
    package(
        "coordinator",
        architecture.trim(),
        &[(&heeler, "usr/bin/heeler"), (&agent, for_first_contact)],
        &out,
    )
}

/// `binaries`: what was built, and its place on the machine.
fn package(part: &str, architecture: &str, binaries: &[(&Path, &str)], out: &Path) -> Result<()> {
    let tree = tempfile::tempdir()?;
    fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755))?;
    let packaging = run::root().join("packaging");
    copy(&packaging.join("dist").join(part), tree.path())?;
    copy(&packaging.join("deb").join(part), &tree.path().join("DEBIAN"))?;

    let control = tree.path().join("DEBIAN/control");
    let fields = fs::read_to_string(&control)?;
    let version = env!("CARGO_PKG_VERSION");
    fs::write(
        &control,
        format!("Version: {version}\nArchitecture: {architecture}\n{fields}"),
    )?;

    for (binary, place) in binaries {
        let place = tree.path().join(place);
        fs::create_dir_all(place.parent().unwrap_or(tree.path()))?;
        fs::copy(binary, place).with_context(|| format!("could not copy {}", binary.display()))?;
    }

    run::run(
        run::program("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .arg(tree.path())
            .arg(out),
    )
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("could not list {}", from.display()))? {
        let path: PathBuf = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
