//! The agent is killed, or the coordinator.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::{Case, Cost, R, Run, X};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[
    Case {
        on: X,
        name: "the agent is killed at five random moments of a task, which ends as it should",
        // A look at a disk that is read at the same time can take longer than its 10 s on a slow machine.
        cost: Cost::Quiet(300),
        run: Run::Fleet(killed),
    },
    Case {
        on: R,
        name: "the coordinator is killed in the middle of an apply, and both ends agree afterwards",
        cost: Cost::Seconds(120),
        run: Run::Fleet(coordinator_killed),
    },
];

/// Five moments from a linear congruential generator, which needs no library. The seed is printed.
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

fn killed(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    let node = fleet.lab().node(X)?;
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    println!("    {X}: seed {seed}");
    let mut watching = fleet.start(&["apply", "--yes", "--confirm", X, X])?;
    thread::sleep(Duration::from_secs(3));
    for moment in moments(seed) {
        thread::sleep(moment);
        node.root("kill -9 $(systemctl show -p MainPID --value heeler-agent.service)")?;
    }
    let code = watching.wait()?.code();
    fleet.wait_connected(X)?;
    let plan = fleet.plan(X)?;
    if plan.contains("half-made by Heeler") {
        for serial in node
            .serials()?
            .iter()
            .filter(|serial| plan.contains(&format!("heeler disk erase {serial}")))
        {
            fleet.must(&["disk", "erase", serial, "--confirm", serial])?;
        }
    } else {
        ensure!(
            !plan.contains("BLOCKED"),
            "seed {seed}, apply ended with {code:?}: {plan}"
        );
    }
    fleet.apply(X)?;
    node.must("[ \"$(zpool history data | grep -c 'zpool create')\" = 1 ] && findmnt -t zfs /data/pve-files")
        .map(drop)
}

fn coordinator_killed(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(R)?;
    let node = fleet.lab().node(R)?;
    if node.root("zpool list data")?.code == 0 {
        node.must("zfs destroy data/vm")?;
    }
    let plan = fleet.plan(R)?;
    let confirm: &[&str] = if plan.contains("IRREVERSIBLE") || plan.contains("TO CONFIRM") {
        &["--confirm", R]
    } else {
        &[]
    };
    let mut applying = fleet
        .command(&[&["apply", "--yes", R], confirm].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = BufReader::new(applying.stdout.take().context("no stdout")?).lines();
    let begun = said.by_ref().map_while(Result::ok).any(|line| in_hand(&line));
    ensure!(begun, "apply ended before the node began");
    fleet.kill_coordinator()?;
    fleet.serve()?;
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    let code = applying.wait()?.code();
    ensure!(
        code == Some(0) && rest.iter().any(|line| in_hand(line) && line.contains("done")),
        "apply ended with {code:?} after {rest:#?}"
    );
    let plan = fleet.plan(R)?;
    ensure!(plan.contains("nothing to change"), "{plan}");
    let tasks = fleet.json(&["task", "list"], &[0])?;
    ensure!(
        !tasks.to_string().contains("\"running\""),
        "a task is left over: {tasks}"
    );
    node.must("zfs list data/vm && [ \"$(zpool history data | grep -c 'zpool create')\" = 1 ]")
        .map(drop)
}

/// Whether the line shows progress of the node: time, then name.
fn in_hand(line: &str) -> bool {
    line.get(2..3) == Some(":") && line.contains(R)
}
