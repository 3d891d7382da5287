//! Changes of a pool by hand are reported within seconds: both the fault and its end.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::pools::with_pool;
use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[
    Case {
        on: R,
        name: "data-pulled-told: a pulled disk is told within 5 s, by serial and slot",
        cost: Cost::Quiet(20),
        run: Run::Fleet(pulled),
    },
    Case {
        on: R,
        name: "data-resilver-told: the end of a resilver is told within 5 s",
        cost: Cost::Quiet(20),
        run: Run::Fleet(resilvered),
    },
    Case {
        on: R,
        name: "data-import-told: an export and an import by hand are told within 5 s",
        cost: Cost::Quiet(10),
        run: Run::Fleet(imported),
    },
];

pub(super) const BOUND: Duration = Duration::from_secs(5);

/// The node's pool state in the status, and all its alerts.
fn told(fleet: &Fleet<'_>) -> Result<(String, String)> {
    let status = fleet.json(&["status"], &[0])?;
    let nodes = status["nodes"].as_array().context("no nodes")?;
    let node = nodes.iter().find(|node| node["node"] == R).context("no such node")?;
    let alerts = status["alerts"].as_array().context("no alerts")?;
    let own = alerts.iter().filter(|alert| alert["node"] == R);
    let texts: Vec<&str> = own.filter_map(|alert| alert["text"].as_str()).collect();
    let pool = node["pool"].as_str().unwrap_or_default().to_owned();
    Ok((pool, texts.join("\n")))
}

/// Waits at most `time` until the status holds; returns the alerts.
pub(super) fn within(fleet: &Fleet<'_>, time: Duration, holds: impl Fn(&str, &str) -> bool) -> Result<String> {
    let began = Instant::now();
    loop {
        let (pool, texts) = told(fleet)?;
        if holds(&pool, &texts) {
            return Ok(texts);
        }
        if began.elapsed() > time {
            bail!("after {} s: pool {pool}\n{texts}", began.elapsed().as_secs());
        }
        sleep(Duration::from_millis(200));
    }
}

fn alarms(fleet: &Fleet<'_>, kind: &str) -> Result<String> {
    fleet.must(&["events", "--node", R, "--kind", kind, "--width", "300"])
}

fn pulled(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    within(fleet, Duration::from_secs(30), |pool, _| pool == "ok")?;
    let serials = node.serials()?;
    let (kept, lost) = (&serials[0], &serials[1]);
    node.remove_disk(lost)?;
    // ZFS notices the loss at the next write, or when udev tells zed.
    node.must("echo x > /data/pve-files/pulled; zpool sync data")?;
    let outcome = (|| {
        let texts = within(fleet, BOUND, |pool, _| pool == "DEGRADED")?;
        ensure!(texts.contains(&format!("slot B {lost}")), "{texts}");
        ensure!(texts.contains(&format!("Do NOT pull slot A {kept}")), "{texts}");
        ensure!(!texts.contains("by-id"), "{texts}");
        let alarms = alarms(fleet, "alarm")?;
        ensure!(alarms.contains("pool data is DEGRADED"), "{alarms}");
        Ok(())
    })();
    node.add_disk(lost)?;
    node.wait_disk(lost)?;
    // zed, where it runs, has done this already.
    let leg = format!("{}-part1", crate::machine::by_id(lost));
    node.must(&format!("zpool online data {leg} || true"))?;
    node.must("zpool wait -t resilver data; zpool list -H -o health data | grep -x ONLINE")?;
    outcome
}

fn resilvered(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    within(fleet, Duration::from_secs(30), |pool, _| pool == "ok")?;
    let lost = node.serials()?[1].clone();
    let leg = format!("{}-part1", crate::machine::by_id(&lost));
    node.must(&format!("zpool offline data {leg}"))?;
    within(fleet, BOUND, |pool, _| pool == "DEGRADED")?;
    node.must("dd if=/dev/urandom of=/data/pve-files/resilvered bs=1M count=64 status=none; zpool sync data")?;
    node.must(&format!("zpool online data {leg}; zpool wait -t resilver data"))?;
    within(fleet, BOUND, |pool, texts| {
        pool == "ok" && !texts.contains("Do NOT pull")
    })?;
    let events = alarms(fleet, "pool")?;
    for part in [
        "is ONLINE again",
        "a resilver of pool data began",
        "a resilver of pool data ended",
    ] {
        ensure!(events.contains(part), "{part}: {events}");
    }
    Ok(())
}

fn imported(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = with_pool(fleet, R)?;
    within(fleet, Duration::from_secs(30), |pool, _| pool == "ok")?;
    node.must("zpool export data")?;
    let outcome = within(fleet, BOUND, |pool, _| pool == "gone");
    node.must("zpool import -d /dev/disk/by-id data")?;
    outcome?;
    within(fleet, BOUND, |pool, texts| {
        pool == "ok" && !texts.contains("not imported")
    })?;
    Ok(())
}
