//! Heeler beside Ansible on the same node: a run that changes nothing, and the repair of one changed file.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::fleet::{Binaries, Fleet};
use crate::keys::Who;
use crate::lab::Lab;
use crate::machine::NAMES;
use crate::node::NodeHandle;
use crate::programs;
use crate::run::finish;

/// How often each side does each; the median counts, because the host has other work too.
const TIMES: usize = 3;
/// The file that a person changes by hand; both sides put it right.
const FILE: &str = "/etc/modprobe.d/zz-heeler-zfs.conf";
const DRIFT: &str = "echo 'options zfs zfs_arc_max=1' >";

/// Boots one node, lets Heeler set it up, and measures both sides. Ansible has root's key and one SSH connection that it
/// keeps. Fails when a side does not do its work; the ratio is printed and has no limit.
pub fn run(lab: &Lab, binaries: &Binaries) -> Result<()> {
    programs::installed(&[("ansible-playbook", "ansible-core")])?;
    let name = NAMES[0];
    println!("booting one virtual Pi; without KVM this takes a minute or two");
    lab.boot(|one| one == name)?;
    let fleet = Fleet::begin(lab, binaries, name)?;
    fleet.have(name)?;
    fleet.edit(
        "[cluster]",
        "[network]\nsubnet = \"10.10.80.0/24\"\ndomain = \"example.lan\"\n\n[pool]\narc_max = \"96MiB\"\n\n[cluster]",
    )?;
    fleet.apply(name)?;
    let node = lab.node(name)?;
    let address = node.must("hostname -I | tr ' ' '\\n' | grep '^10[.]10[.]80[.]'")?;
    let ansible = || playbook(lab, name, address.trim());
    let heeler = || fleet.command(&["apply", "--yes", name]);
    println!("$ ansible-playbook node.yaml\n{}", said(&mut ansible())?);

    let mut times = Vec::new();
    for _ in 0..TIMES {
        let (one, text) = timed(&mut heeler())?;
        ensure!(text.contains("Nothing to change."), "heeler changed something: {text}");
        let (other, text) = timed(&mut ansible())?;
        ensure!(text.contains("changed=0"), "ansible changed something: {text}");
        times.push((one, other));
    }
    report("nothing to change", &times);

    let mut times = Vec::new();
    for _ in 0..TIMES {
        let one = repaired(node, &mut heeler())?;
        let other = repaired(node, &mut ansible())?;
        times.push((one, other));
    }
    report("one file changed by hand", &times);
    Ok(())
}

fn playbook(lab: &Lab, name: &str, address: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ansible/node.yaml");
    let config = Who::Lab.config(lab.folder());
    let inventory = format!("{name},");
    let mut command = lab.command("ansible-playbook", ["-i", &inventory, "-u", "root"]);
    command
        .args([
            "-e",
            &format!("lan={address} ansible_python_interpreter=/usr/bin/python3"),
        ])
        .arg(format!("--ssh-common-args=-F {}", config.display()))
        .arg(file)
        .env("ANSIBLE_SSH_EXECUTABLE", "/usr/bin/ssh")
        .env("ANSIBLE_NOCOLOR", "1")
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Changes the file, lets `side` run, checks that the file is as it was, and returns the seconds.
fn repaired(node: NodeHandle<'_>, side: &mut Command) -> Result<f64> {
    let before = node.must(&format!("cat {FILE}"))?;
    node.must(&format!("{DRIFT}{FILE}"))?;
    let (seconds, text) = timed(side)?;
    let after = node.must(&format!("cat {FILE}"))?;
    ensure!(after == before, "{FILE} has {after:?} after: {text}");
    Ok(seconds)
}

fn timed(side: &mut Command) -> Result<(f64, String)> {
    let begun = Instant::now();
    let text = said(side)?;
    Ok((begun.elapsed().as_secs_f64(), text))
}

fn said(side: &mut Command) -> Result<String> {
    finish(side.stdin(Stdio::null()))?.success()
}

fn report(what: &str, times: &[(f64, f64)]) {
    let median = |of: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = times.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (heeler, ansible) = (median(|both| both.0), median(|both| both.1));
    println!(
        "{what}: heeler {heeler:.2} s, ansible {ansible:.1} s, {:.0} times (median of {})",
        ansible / heeler,
        times.len()
    );
}
