//! A pool that cannot or should not be imported is never created again; one that can comes back with its data.

use anyhow::{Context, Result, ensure};

use super::refusal::blocked;
use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;
use crate::node::NodeHandle;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: R,
        name: "a live pool's disk is not erased",
        cost: Cost::Seconds(10),
        run: Run::Fleet(live_disk),
    },
    Case {
        on: R,
        name: "an exported pool comes back by its guid",
        cost: Cost::Seconds(70),
        run: Run::Fleet(exported),
    },
    Case {
        on: R,
        name: "a leg is missing: a person is asked, and nothing is imported unasked",
        cost: Cost::Seconds(80),
        run: Run::Fleet(missing_leg),
    },
    Case {
        on: R,
        name: "a node whose root disk was replaced imports its old pool with its data",
        cost: Cost::Seconds(300),
        run: Run::Fleet(reflashed),
    },
    Case {
        on: R,
        name: "a pool with an unsupported feature is never made anew",
        cost: Cost::Seconds(50),
        run: Run::Fleet(unsupported),
    },
];

fn guid(node: NodeHandle<'_>) -> Result<String> {
    node.must("zpool list -H -o guid data").context("no pool data")
}

/// The node with its pool and a file in it.
pub(super) fn with_pool<'a>(fleet: &Fleet<'a>, name: &'a str) -> Result<NodeHandle<'a>> {
    fleet.have(name)?;
    let node = fleet.lab().node(name)?;
    if node.root("zpool list data")?.code != 0 {
        fleet.apply(name)?;
    }
    node.must("findmnt -t zfs /data/pve-files && echo precious > /data/pve-files/precious && sync")?;
    Ok(node)
}

fn live_disk(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let serial = node.serials()?[0].clone();
    let before = guid(node)?;
    let done = fleet.run(&["disk", "erase", &serial, "--confirm", &serial])?;
    ensure!(done.code != 0, "it was erased: {}", done.stdout);
    ensure!(
        guid(node)? == before && node.must("zpool list -H -o health data")? == "ONLINE\n",
        "the pool suffered"
    );
    Ok(())
}

fn exported(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let before = guid(node)?;
    node.must("zpool export data")?;
    fleet.apply(R)?;
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "another pool came back"
    );
    Ok(())
}

fn missing_leg(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let before = guid(node)?;
    let serials = node.serials()?;
    let serial = serials[0].clone();
    node.must("zpool export data")?;
    node.remove_disk(&serial)?;
    let outcome = (|| {
        let plan = fleet.plan(R)?;
        ensure!(
            plan.contains(&serial) && (plan.contains("IRREVERSIBLE") || plan.contains("BLOCKED")),
            "{plan}"
        );
        let listed = fleet.must(&["disk", "list"])?;
        let other = listed.lines().find(|line| line.contains(&serials[1]));
        ensure!(
            other.is_some_and(|line| line.split_whitespace().any(|word| word == "B")),
            "slot B is called otherwise once A is empty: {listed}"
        );
        let done = fleet.run(&["apply", "--yes", R])?;
        ensure!(done.code != 0, "apply --yes was enough: {}", done.stdout);
        ensure!(node.root("zpool list data")?.code != 0, "it was imported unasked");
        Ok(())
    })();
    node.add_disk(&serial)?;
    node.wait_disk(&serial)?;
    outcome?;
    fleet.apply(R)?;
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "another pool came back"
    );
    node.must("zpool list -H -o health data | grep -x ONLINE").map(drop)
}

fn reflashed(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    let before = guid(node)?;
    node.cut()?;
    node.reflash()?;
    node.start()?;
    node.wait_ready()?;
    node.must("! zpool list data && echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/zz-case")?;
    let agents = fleet.folder().join("agents").display().to_string();
    // The new host key is confirmed at a terminal.
    let heeler = fleet.command(&["node", "add", R, "--reflashed", "--yes", "--agent-dir", &agents]);
    let line: Vec<String> = std::iter::once(heeler.get_program())
        .chain(heeler.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut terminal = crate::run::program("script", ["-q", "-e", "-c", &line.join(" "), "/dev/null"]);
    for (name, value) in heeler.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    let mut child = terminal
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().context("no stdin")?, b"y\n")?;
    let done: crate::run::Finished = child.wait_with_output()?.into();
    ensure!(done.ok(), "node add --reflashed: {}", done.stdout);
    let plan = fleet.plan(R)?;
    ensure!(!plan.contains("BLOCKED") && !plan.contains("create"), "{plan}");
    let applied = fleet.must(&["apply", "--yes", R])?;
    ensure!(applied.contains("zpool import"), "{applied}");
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "the data is not what it was"
    );
    ensure!(PASSWORD != "y", "the answer was not a password");
    Ok(())
}

fn unsupported(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    node.must(
        "zpool export data; zhack feature enable -d future data com.example:future && zhack feature ref data com.example:future; \
         ! zpool import data 2>/dev/null",
    )?;
    let outcome = blocked(fleet, node, "older than the one that made the pool");
    node.must("zhack feature ref -d data com.example:future && zpool import data")?;
    outcome
}
