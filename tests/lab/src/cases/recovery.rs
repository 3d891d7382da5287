//! The coordinator's state is removed, and with it every key.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::{Case, Cost, Run, X};
use crate::fleet::Fleet;
use crate::run::Finished;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: X,
        name: "holds-recover: a destroyed coordinator is back from a node's copy with one command, and the plan is empty",
        cost: Cost::Seconds(210),
        run: Run::Fleet(recover),
    },
    Case {
        on: X,
        name: "holds-takeover: without any copy, init and node add take the node over, and the plan is empty",
        cost: Cost::Seconds(80),
        run: Run::Fleet(take_over),
    },
];

fn recover(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    fleet.apply(X)?;
    let node = fleet.lab().node(X)?;
    let copied = fleet.must(&["backup", "copy"])?;
    ensure!(copied.contains(X), "{copied}");
    let pool = node.must("zpool get -H -o value guid data; zpool history data | grep -c 'zpool create'")?;
    let kept = node.must(
        "stat -c '%a %U %n' /data/pve-files/.heeler/copies/* && findmnt -n -o FSTYPE -T /data/pve-files/.heeler/copies",
    )?;
    ensure!(kept.contains("600 root") && kept.trim_end().ends_with("zfs"), "{kept}");
    let audit = fleet.must(&["audit", "verify"])?;
    ensure!(audit.contains("OK      "), "{audit}");

    fleet.kill_coordinator()?;
    fs::remove_dir_all(fleet.folder().join("state"))?;
    let back = init_recover(fleet)?.success()?;
    println!("    {X}: {}", back.lines().next().unwrap_or_default());
    fleet.serve()?;
    fleet.wait_connected(X)?;
    let plan = fleet.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let again = node.must("zpool get -H -o value guid data; zpool history data | grep -c 'zpool create'")?;
    ensure!(again == pool, "another pool: {again}");
    let held = fleet.json(&["status"], &[0])?;
    ensure!(
        !held["alerts"].to_string().contains("heeler node resume"),
        "the node was held: {held}"
    );
    let log = fleet.must(&["audit", "list"])?;
    ensure!(log.contains("restored"), "{log}");
    Ok(())
}

/// Runs one command with the sudo password on stdin.
fn init_recover(fleet: &Fleet<'_>) -> Result<Finished> {
    let key = fleet.recovery_key().display().to_string();
    let config = fleet.config().display().to_string();
    let args = [
        "init",
        "--recover",
        "--from",
        X,
        "-K",
        "--identity",
        &key,
        "--width",
        "200",
        &config,
    ];
    let mut child = fleet
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    writeln!(child.stdin.take().context("no stdin")?, "{PASSWORD}")?;
    Ok(child.wait_with_output()?.into())
}

fn take_over(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    fleet.apply(X)?;
    let node = fleet.lab().node(X)?;
    let before = node.must("zpool get -H -o value guid data; cat /etc/hostid | od -An -tx1; sha256sum /var/lib/heeler-agent/identity/key.pem")?;
    fleet.kill_coordinator()?;
    fs::remove_dir_all(fleet.folder().join("state"))?;
    let text = fs::read_to_string(fleet.config().join("heeler.toml"))?;
    let (key, config) = (
        fleet.recovery_key().display().to_string(),
        fleet.config().display().to_string(),
    );
    fleet.must(&["init", "--recovery", &key, &config])?;
    ensure!(
        fs::read_to_string(fleet.config().join("heeler.toml"))? == text,
        "heeler.toml was changed"
    );
    fleet.serve()?;
    fleet.add(X, PASSWORD, &[])?.success().context("node add")?;
    let plan = fleet.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let after = node.must("zpool get -H -o value guid data; cat /etc/hostid | od -An -tx1; sha256sum /var/lib/heeler-agent/identity/key.pem")?;
    ensure!(after == before, "before {before}\nafter {after}");
    // The node works for the new coordinator.
    fleet.must(&["apply", "--yes"])?;
    let status = fleet.json(&["status"], &[0])?;
    ensure!(status["nodes"][0]["config"] == "same", "{status}");
    Ok(())
}
