//! The main job on three fresh machines, as a person types it.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::fleet::{Binaries, Fleet};
use crate::lab::Lab;
use crate::machine::{NAMES, by_id};
use crate::seed::PASSWORD;

/// Plans to time; the fastest counts, because the host has other work too.
const PLANS: usize = 3;

/// Build, boot, `init`, `serve`, `node add` over SSH, `plan`, `apply`, `status`, and an `apply` that changes nothing.
/// With `stay`, leaves the coordinator running. Its error: the first thing that is not as expected.
pub fn run(lab: &Lab, binaries: &Binaries, stay: bool) -> Result<()> {
    let started = Instant::now();
    println!("booting three virtual Pis; without KVM this takes about two minutes");
    lab.boot(|_| true)?;
    println!("they are up after {} s\n", started.elapsed().as_secs());
    println!("$ heeler init --cluster k8sctl --address 10.10.80.1; heeler serve &");
    let fleet = Fleet::begin(lab, binaries, NAMES[0])?;
    network(&fleet)?;
    for name in NAMES {
        println!("\n$ heeler node add {name} -K");
        let agents = fleet.folder().join("agents").display().to_string();
        show(
            &fleet,
            &["node", "add", name, "-K", "--yes", "--agent-dir", &agents],
            PASSWORD,
        )?;
    }
    println!("\n$ heeler plan");
    show(&fleet, &["plan"], "")?;
    let confirmed: Vec<&str> = NAMES.iter().flat_map(|name| ["--confirm", name]).collect();
    println!("\n$ heeler apply --yes {}", confirmed.join(" "));
    show(&fleet, &[&["apply", "--yes"], &confirmed[..]].concat(), "")?;
    println!("\n$ heeler status");
    show(&fleet, &["status"], "")?;

    let status = fleet.json(&["status"], &[0])?;
    ensure!(status["light"] == "green", "the fleet is not green: {status}");
    for node in lab.nodes() {
        let pool =
            node.must("zpool list -H -o name,health; zpool status -P data; findmnt -n -o SOURCE /data/pve-files")?;
        ensure!(
            pool.contains("data\tONLINE") && pool.contains("\ndata/pve-files"),
            "{}: {pool}",
            node.name()
        );
        for serial in node.serials()? {
            let leg = by_id(&serial);
            ensure!(pool.contains(&leg), "{} has no leg {leg}: {pool}", node.name());
        }
    }
    for node in lab.nodes() {
        for peer in 50..53 {
            let answer = node.must(&format!("ping -q -c 3 -W 5 10.10.99.{peer} | tail -n 2 | head -n 1"))?;
            println!("{} -> 10.10.99.{peer}: {}", node.name(), answer.trim());
        }
    }
    for node in lab.nodes() {
        node.must("for i in $(seq 60); do zfs list -H -t snapshot -o name | grep -q ^data/pve-files@heeler_ && exit; sleep 1; done; exit 1")?;
    }
    println!("\n$ heeler snapshot list");
    show(&fleet, &["snapshot", "list"], "")?;
    println!("\n$ heeler apply");
    let (mut seconds, mut plan) = (f64::INFINITY, String::new());
    for _ in 0..PLANS {
        let before = Instant::now();
        plan = fleet.must(&["plan"])?;
        seconds = seconds.min(before.elapsed().as_secs_f64());
    }
    show(&fleet, &["apply"], "")?;
    ensure!(
        plan.contains("Nothing to change."),
        "a second plan is not empty: {plan}"
    );
    if stay {
        fleet.leave();
    }
    println!(
        "\nheeler plan on three converged nodes: {seconds:.1} s, the quickest of {PLANS}. All of it: {} s",
        started.elapsed().as_secs()
    );
    Ok(())
}

/// Writes the two networks into heeler.toml; `node add` does the rest.
fn network(fleet: &Fleet<'_>) -> Result<()> {
    let path = fleet.config().join("heeler.toml");
    let lines = "\n[network]\nsubnet = \"10.10.80.0/24\"\nbackplane = \"10.10.99.0/24\"\n";
    println!("$ cat >>heeler.toml{lines}");
    Ok(File::options().append(true).open(path)?.write_all(lines.as_bytes())?)
}

/// Runs `heeler` with its output on this terminal.
fn show(fleet: &Fleet<'_>, args: &[&str], stdin: &str) -> Result<()> {
    let mut child = fleet.command(args).stdin(Stdio::piped()).spawn()?;
    writeln!(child.stdin.take().context("no stdin")?, "{stdin}").or_else(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })?;
    let status = child.wait()?;
    ensure!(status.success(), "heeler {} ended with {status}", args.join(" "));
    Ok(())
}
