//! Records output of the real programs, for the tests of the agent's parsers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::keys::Who;
use crate::lab::Lab;
use crate::node::NodeHandle;

const PRELUDE: &str = include_str!("../record/prelude.sh");
/// Scripts that need only a node with two disks.
const PLAIN: [(&str, &str); 7] = [
    ("system", include_str!("../record/system.sh")),
    ("dpkg", include_str!("../record/dpkg.sh")),
    ("disks", include_str!("../record/disks.sh")),
    ("torn", include_str!("../record/torn.sh")),
    ("pools", include_str!("../record/pools.sh")),
    ("pools-odd", include_str!("../record/pools-odd.sh")),
    ("snapshots", include_str!("../record/snapshots.sh")),
];
const SIZES: &str = include_str!("../record/sizes.sh");
const ELSEWHERE: &str = include_str!("../record/elsewhere.sh");
const INTERRUPTED: &str = include_str!("../record/interrupted.sh");
const FOUND: &str = include_str!("../record/found.sh");
const SMALL_DISK: (&str, u64) = ("S6XNNS0W100007", 1 << 30);
/// Seconds after which a `zpool create` is interrupted, tried in turn.
const DELAYS: [&str; 8] = ["0.45", "0.35", "0.55", "0.25", "0.65", "0.40", "0.50", "0.30"];

/// Folder of the fixtures of the agent's parsers.
pub fn usual_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agent/host/fixtures")
}

/// Runs the scripts whose name contains `filter` on the first node. Its disks lose their content. Fails when a script
/// fails.
pub fn run(lab: &Lab, into: &Path, filter: &str) -> Result<()> {
    let node = lab.nodes().next().context("the lab has no node")?;
    node.wait_ready()?;
    for (name, script) in PLAIN.iter().filter(|(name, _)| name.contains(filter)) {
        play(node, name, &[], script)?;
        fetch(lab, node, into)?;
    }
    if "sizes".contains(filter) {
        node.add_disk_sized(SMALL_DISK.0, SMALL_DISK.1)?;
        play(node, "sizes", &[], SIZES)?;
        node.remove_disk(SMALL_DISK.0)?;
    }
    if "elsewhere".contains(filter) {
        let before = node.status()?.starts;
        // The script ends with the connection.
        node.root(&format!("{PRELUDE}{ELSEWHERE}"))?;
        back(node, before)?;
        play(node, "found elsewhere", &[("STATE", "in-use-elsewhere")], FOUND)?;
    }
    if "interrupted".contains(filter) {
        interrupt(node)?;
        play(node, "found interrupted", &[("STATE", "create-interrupted")], FOUND)?;
    }
    fetch(lab, node, into)
}

/// Resets the node during `zpool create`, repeatedly, until a disk has a partition table and no pool can be imported.
fn interrupt(node: NodeHandle<'_>) -> Result<()> {
    for delay in DELAYS {
        let before = node.status()?.starts;
        node.root(&format!("{PRELUDE}DELAY={delay}\n{INTERRUPTED}"))?;
        back(node, before)?;
        let half = "blkid -p $A | grep -q gpt && ! zdb -l $A-part1 >/dev/null && ! blkid -p $B";
        if node.root(&format!("{PRELUDE}{half}"))?.ok() {
            println!("interrupted after {delay} s");
            return Ok(());
        }
    }
    bail!("no delay left a half-made pool; tried {}", DELAYS.join(", "))
}

fn back(node: NodeHandle<'_>, starts_before: u32) -> Result<()> {
    node.wait_restart(starts_before)?;
    node.wait_ready()
}

fn play(node: NodeHandle<'_>, name: &str, variables: &[(&str, &str)], script: &str) -> Result<()> {
    let variables: String = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let done = node.root(&format!("{PRELUDE}{variables}{script}\necho finished\n"))?;
    print!("== {name}\n{}{}", done.stdout, done.stderr);
    if !done.stdout.ends_with("finished\n") {
        bail!("the script {name} stopped early (exit code {})", done.code);
    }
    Ok(())
}

fn fetch(lab: &Lab, node: NodeHandle<'_>, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    let mut ssh = lab.command("/usr/bin/ssh", ["-F"]);
    ssh.arg(Who::Lab.config(lab.folder()))
        .args([node.name(), "sync; tar -C /root/fixtures -c ."]);
    let mut ssh = ssh.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let archive = ssh.stdout.take().context("ssh has no standard output")?;
    let unpacked = crate::run::program("tar", ["-x", "--no-same-owner", "-C"])
        .arg(into)
        .stdin(archive)
        .status()?;
    if !ssh.wait()?.success() || !unpacked.success() {
        bail!("cannot fetch what {} recorded", node.name());
    }
    Ok(())
}
