//! The coordinator is gone: its state was removed, and with it every key.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::{Case, Run, X};
use crate::herd::Herd;
use crate::run::Finished;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: X,
        name: "holds-recover: a destroyed coordinator is back from a node's copy with one command, and the plan is empty",
        run: Run::Herd(recover),
    },
    Case {
        on: X,
        name: "holds-takeover: without any copy, init and node add take the node over, and the plan is empty",
        run: Run::Herd(take_over),
    },
];

fn recover(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(X)?;
    herd.apply(X)?;
    let node = herd.lab().node(X)?;
    let copied = herd.must(&["backup", "copy"])?;
    ensure!(copied.contains(X), "{copied}");
    let pool = node.must("zpool get -H -o value guid data; zpool history data | grep -c 'zpool create'")?;
    let kept = node.must(
        "stat -c '%a %U %n' /data/pve-files/.heeler/copies/* && findmnt -n -o FSTYPE -T /data/pve-files/.heeler/copies",
    )?;
    ensure!(kept.contains("600 root") && kept.trim_end().ends_with("zfs"), "{kept}");
    let audit = herd.must(&["audit", "verify"])?;
    ensure!(audit.contains("SOUND"), "{audit}");

    herd.kill_coordinator()?;
    fs::remove_dir_all(herd.folder().join("state"))?;
    let back = init_recover(herd)?.success()?;
    println!("    {X}: {}", back.lines().next().unwrap_or_default());
    herd.serve()?;
    herd.wait_connected(X)?;
    let plan = herd.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let again = node.must("zpool get -H -o value guid data; zpool history data | grep -c 'zpool create'")?;
    ensure!(again == pool, "another pool: {again}");
    let held = herd.json(&["status"], &[0])?;
    ensure!(
        !held["alerts"].to_string().contains("heeler node resume"),
        "the node was held: {held}"
    );
    let log = herd.must(&["audit", "list"])?;
    ensure!(log.contains("restored"), "{log}");
    Ok(())
}

/// One command, with the sudo password on stdin.
fn init_recover(herd: &Herd<'_>) -> Result<Finished> {
    let key = herd.recovery_key().display().to_string();
    let config = herd.config().display().to_string();
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
    let mut child = herd
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    writeln!(child.stdin.take().context("no stdin")?, "{PASSWORD}")?;
    Ok(child.wait_with_output()?.into())
}

fn take_over(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(X)?;
    herd.apply(X)?;
    let node = herd.lab().node(X)?;
    let before = node.must("zpool get -H -o value guid data; cat /etc/hostid | od -An -tx1; sha256sum /var/lib/heeler-agent/identity/key.pem")?;
    herd.kill_coordinator()?;
    fs::remove_dir_all(herd.folder().join("state"))?;
    let text = fs::read_to_string(herd.config().join("heeler.toml"))?;
    let (key, config) = (
        herd.recovery_key().display().to_string(),
        herd.config().display().to_string(),
    );
    herd.must(&["init", "--recovery", &key, &config])?;
    ensure!(
        fs::read_to_string(herd.config().join("heeler.toml"))? == text,
        "heeler.toml was changed"
    );
    herd.serve()?;
    herd.add(X, PASSWORD, &[])?.success().context("node add")?;
    let plan = herd.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let after = node.must("zpool get -H -o value guid data; cat /etc/hostid | od -An -tx1; sha256sum /var/lib/heeler-agent/identity/key.pem")?;
    ensure!(after == before, "before {before}\nafter {after}");
    // It works for the new one.
    herd.must(&["apply", "--yes"])?;
    let status = herd.json(&["status"], &[0])?;
    ensure!(status["nodes"][0]["config"] == "same", "{status}");
    Ok(())
}
