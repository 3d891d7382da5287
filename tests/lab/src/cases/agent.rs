//! The agent dies, and the coordinator does.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use super::{Case, Run};
use crate::herd::Herd;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "the agent is killed at five random moments of a task, which ends as it should",
        run: Run::Herd(killed),
    },
    Case {
        name: "the coordinator is killed in the middle of an apply, and both ends agree afterwards",
        run: Run::Herd(coordinator_killed),
    },
    Case {
        name: "plan of a converged herd is empty, and takes two seconds at most",
        run: Run::Herd(converged),
    },
];

const X: &str = "k8sctl-pi5x";

/// No random library for five numbers: a linear congruence, whose seed is printed.
fn moments(seed: u64) -> impl Iterator<Item = Duration> {
    let next = |n: &u64| {
        Some(
            n.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407),
        )
    };
    std::iter::successors(Some(seed), next)
        .skip(1)
        .map(|n| Duration::from_millis((n >> 33) % 4000))
        .take(5)
}

fn killed(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(X)?;
    let node = herd.lab().node(X)?;
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    println!("    seed {seed}");
    let mut watching = herd.command(&["apply", "--yes", "--confirm", X, X]);
    let mut watching = watching
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    thread::sleep(Duration::from_secs(3));
    for moment in moments(seed) {
        thread::sleep(moment);
        node.root("kill -9 $(systemctl show -p MainPID --value heeler-agent.service)")?;
    }
    let code = watching.wait()?.code();
    herd.wait_connected(X)?;
    let plan = herd.plan(X)?;
    if plan.contains("half-made by us") {
        for serial in node
            .serials()?
            .iter()
            .filter(|serial| plan.contains(&format!("heeler disk erase {serial}")))
        {
            herd.must(&["disk", "erase", serial, "--confirm", serial])?;
        }
    } else {
        ensure!(
            !plan.contains("BLOCKED"),
            "seed {seed}, apply ended with {code:?}: {plan}"
        );
    }
    if !plan.contains("nothing to change") {
        herd.must(&["apply", "--yes", "--confirm", X, X])?;
    }
    node.must("[ \"$(zpool history data | grep -c 'zpool create')\" = 1 ] && findmnt -t zfs /data/pve-files")
        .map(drop)
}

fn coordinator_killed(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(X)?;
    let node = herd.lab().node(X)?;
    if node.root("zpool list data")?.code == 0 {
        node.must("zfs destroy data/vm")?;
    }
    let mut watching = herd.command(&["apply", "--yes", "--confirm", X, X]);
    let mut watching = watching
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    thread::sleep(Duration::from_secs(3));
    herd.kill_coordinator()?;
    thread::sleep(Duration::from_secs(3));
    herd.serve()?;
    herd.wait_connected(X)?;
    watching.wait()?;
    if !herd.plan(X)?.contains("nothing to change") {
        herd.must(&["apply", "--yes", "--confirm", X, X])?;
    }
    node.must("zfs list data/vm").map(drop)
}

fn converged(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(X)?;
    herd.plan(X)?;
    let before = std::time::Instant::now();
    let plan = herd.plan(X)?;
    let seconds = before.elapsed().as_secs_f64();
    println!("    {seconds:.1} s");
    ensure!(plan.contains("nothing to change"), "{plan}");
    let again = herd.must(&["apply", "--yes", X])?;
    ensure!(again.contains("othing to change"), "{again}");
    Ok(())
}
