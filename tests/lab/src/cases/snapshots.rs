//! The schedule on real ZFS: other snapshots stay, an interrupted round continues, and no coordinator is needed.

use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};

use super::{Case, Cost, L, Run};
use crate::fleet::Fleet;
use crate::node::NodeHandle;

pub(super) const CASES: &[Case] = &[
    Case {
        on: L,
        name: "holds-snapshots: keeping fewer asks; the power is cut during the prune; what somebody else made, holds or cloned stays",
        cost: Cost::Seconds(380),
        run: Run::Fleet(prune),
    },
    Case {
        on: L,
        name: "holds-snapshots: the power is cut during a snapshot, and after it; each dataset has it, once",
        cost: Cost::Seconds(210),
        run: Run::Fleet(take),
    },
    Case {
        on: L,
        name: "holds-snapshots: the hour turns while the coordinator is dead, and its snapshot is taken",
        cost: Cost::Seconds(60),
        run: Run::Fleet(alone),
    },
];

/// One round, with room for a slow machine.
const LONG: Duration = Duration::from_secs(180);

/// The lab has no time server. This tells the kernel that the clock is synchronised, as chrony and timesyncd do
/// (adjtimex(2)).
const FOLLOWS: &str = "perl -e '$t = pack(\"Lx4q4lx4q20\", 0x1c, 0, 0, 0, 0, 0, (0) x 20); syscall(159, $t) >= 0 or die' \
     && timedatectl show -p NTPSynchronized --value | grep -qx yes";

/// Eight of our snapshots from forty days ago on both datasets, with others between them.
const MAKE: &str = "set -e; systemctl stop heeler-agent.service
    zfs set heeler:class=hourly data/pve-files
    now=$(date +%s); up=$(cut -d. -f1 /proc/uptime)
    for n in 1 2 3 4 5 6 7 8; do
        date -s @$((now - 40 * 86400 + n * 3600)) >/dev/null
        zfs snapshot -o heeler:class=hourly data/pve-files@heeler_old-$n data/vm@heeler_old-$n
    done
    zfs snapshot data/pve-files@heeler_20250101T000000Z_hourly; zfs snapshot data/vm@before-upgrade
    date -s @$((now + $(cut -d. -f1 /proc/uptime) - up)) >/dev/null
    zfs hold mine data/pve-files@heeler_old-2; zfs clone data/pve-files@heeler_old-3 data/theirs; sync";

const CLEAN: &str = "set -e; zfs destroy data/theirs; zfs release mine data/pve-files@heeler_old-2
    zfs inherit heeler:class data/pve-files
    for s in $(zfs list -H -t snapshot -o name | grep -e @heeler_old- -e @before-upgrade -e @heeler_20250101T000000Z); do zfs destroy $s; done";

/// Sets these counts for both datasets in heeler.toml.
fn keep(fleet: &Fleet<'_>, counts: &str) -> Result<()> {
    let path = fleet.config().join("heeler.toml");
    let text = fs::read_to_string(&path)?;
    let head = text.split("\n[[snapshots]]").next().unwrap_or_default();
    let datasets = "[\"data/pve-files\", \"data/vm\"]";
    let policy = format!("{head}\n[[snapshots]]\ndatasets = {datasets}\nkeep = {{ {counts} }}\n");
    Ok(fs::write(path, policy)?)
}

/// Cuts the machine's power after `then`, when the next `zfs VERB @` has begun.
fn cut_at(node: NodeHandle<'_>, verb: &str, then: &str) -> Result<()> {
    node.must(&format!(
        "set -e; cat >/usr/sbin/zfs.cutting <<'END'\n#!/bin/sh\ncase $1-$2 in {verb}--n*) ;; {verb}-*)\n\
         mv -f /usr/sbin/zfs.real /usr/sbin/zfs; sync; /usr/sbin/zfs \"$@\" {then}\necho b >/proc/sysrq-trigger; sleep 60;;\nesac\n\
         exec /usr/sbin/zfs.real \"$@\"\nEND\n\
         chmod 755 /usr/sbin/zfs.cutting; ln /usr/sbin/zfs /usr/sbin/zfs.real; mv /usr/sbin/zfs.cutting /usr/sbin/zfs; sync"
    ))
    .map(drop)
}

/// Waits for the power cut, and until the node is back.
fn back(fleet: &Fleet<'_>, node: NodeHandle<'_>, before: u32) -> Result<()> {
    node.wait_restart(before)?;
    node.wait_ready()?;
    node.wait_ssh()?;
    fleet.wait_connected(L)?;
    node.must("[ \"$(zpool list -H -o health data)\" = ONLINE ] && ! [ -e /usr/sbin/zfs.real ] && findmnt -t zfs /data/pve-files")
        .map(drop)
}

fn snapshots(node: NodeHandle<'_>) -> Result<Vec<String>> {
    let listed = node.must("zfs list -H -t snapshot -o name -r data")?;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// Waits until the snapshots are as wanted; checks once a second.
fn wait(node: NodeHandle<'_>, what: &str, so: impl Fn(&[String]) -> bool) -> Result<()> {
    let until = Instant::now() + LONG;
    loop {
        let seen = snapshots(node)?;
        if so(&seen) {
            return Ok(());
        }
        if Instant::now() > until {
            let said = node.must("journalctl -u heeler-agent.service -n 20 --no-pager")?;
            bail!("{what}: {seen:#?}\n{said}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn has(seen: &[String], name: &str) -> bool {
    seen.iter().any(|one| one == name)
}

fn prune(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    fleet.apply(L)?;
    let node = fleet.lab().node(L)?;
    node.must(MAKE)?;
    node.must(&format!("{FOLLOWS}; systemctl start heeler-agent.service"))?;
    fleet.wait_connected(L)?;
    let made = snapshots(node)?;

    keep(fleet, "hourly = 3")?;
    let plan = fleet.plan(L)?;
    let victims = ["heeler_old-1", "heeler_old-4", "heeler_old-5"];
    ensure!(
        plan.contains("IRREVERSIBLE") && victims.iter().all(|victim| plan.contains(victim)),
        "{plan}"
    );
    ensure!(
        !plan.contains("theirs") && !plan.contains("before-upgrade") && !plan.contains("20250101"),
        "{plan}"
    );
    let refused = fleet.run(&["apply", "--yes", L])?;
    ensure!(refused.code != 0, "apply --yes was enough: {}", refused.stdout);
    let seen = snapshots(node)?;
    ensure!(made.iter().all(|one| has(&seen, one)), "gone without a word: {seen:#?}");

    cut_at(node, "destroy", "&\nsleep 0.05")?;
    let before = node.status()?.starts;
    fleet.run(&["apply", "--yes", "--confirm", L, L])?;
    back(fleet, node, before)?;
    let plan = fleet.plan(L)?;
    ensure!(!plan.contains("BLOCKED"), "{plan}");
    fleet.apply(L)?;
    node.must(&format!("{FOLLOWS}; systemctl restart heeler-agent.service"))?;
    let gone = |seen: &[String]| {
        ["data/pve-files", "data/vm"]
            .iter()
            .all(|dataset| victims.iter().all(|name| !has(seen, &format!("{dataset}@{name}"))))
    };
    wait(node, "not pruned", gone)?;
    let seen = snapshots(node)?;
    let stay = [
        "data/pve-files@heeler_old-2",
        "data/pve-files@heeler_old-3",
        "data/pve-files@heeler_old-8",
        "data/vm@heeler_old-8",
        "data/vm@before-upgrade",
        "data/pve-files@heeler_20250101T000000Z_hourly",
    ];
    ensure!(stay.iter().all(|name| has(&seen, name)), "{seen:#?}");
    ensure!(
        !has(&seen, "data/vm@heeler_old-2") && !has(&seen, "data/vm@heeler_old-3"),
        "ours were taken for somebody's: {seen:#?}"
    );
    node.must("[ \"$(zfs holds -H data/pve-files@heeler_old-2 | cut -f2)\" = mine ] && zfs list data/theirs")?;
    let history = node.must("zpool history data | grep 'zfs destroy' | grep -v -e ' -n' | grep -e ' -[rRdf]'; true")?;
    ensure!(history.is_empty(), "destroyed with more than a name: {history}");
    node.must(CLEAN).map(drop)
}

fn take(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    fleet.apply(L)?;
    // The policy of `node add` keeps more: what follows would ask for consent.
    keep(fleet, "hourly = 3")?;
    fleet.apply(L)?;
    let node = fleet.lab().node(L)?;
    let cuts = [
        ("monthly", "hourly = 3, monthly = 1", "&\nsleep 0.05"),
        ("yearly", "hourly = 3, monthly = 1, yearly = 1", "; sync"),
    ];
    for (class, counts, then) in cuts {
        keep(fleet, counts)?;
        cut_at(node, "snapshot", then)?;
        let before = node.status()?.starts;
        fleet.run(&["apply", "--yes", L])?;
        back(fleet, node, before)?;
        fleet.apply(L)?;
        let of = |dataset: &'static str| {
            move |seen: &[String]| {
                let ours = |one: &&String| one.starts_with(dataset) && one.ends_with(&format!("_{class}"));
                seen.iter().filter(ours).count()
            }
        };
        let both = |seen: &[String]| of("data/pve-files@")(seen) > 0 && of("data/vm@")(seen) > 0;
        wait(node, "not taken", both)?;
        let seen = snapshots(node)?;
        println!(
            "    {L}: of that {class} there are {} and {}",
            of("data/pve-files@")(&seen),
            of("data/vm@")(&seen)
        );
        ensure!(
            of("data/pve-files@")(&seen) == 1 && of("data/vm@")(&seen) == 1,
            "{seen:#?}"
        );
    }
    let plan = fleet.plan(L)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    let listed = fleet.must(&["snapshot", "list", L, "--width", "200"])?;
    ensure!(listed.contains("/data/pve-files/.zfs/snapshot/NAME"), "{listed}");
    Ok(())
}

fn alone(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(L)?;
    keep(fleet, "hourly = 24, weekly = 4, monthly = 1, yearly = 1")?;
    fleet.apply(L)?;
    let node = fleet.lab().node(L)?;
    fleet.kill_coordinator()?;
    let before = snapshots(node)?;
    // The agent starts without a coordinator, shortly before the hour changes.
    let hour = node.must(
        "set -e; systemctl stop heeler-agent.service; hour=$(( ($(date +%s) / 3600 + 1) * 3600 ))
         date -s @$((hour - 15)) >/dev/null; systemctl start heeler-agent.service; date -u -d @$hour +%Y%m%dT%H",
    )?;
    let taken = format!("heeler_{}", hour.trim());
    let fresh = |seen: &[String]| {
        let new = |dataset: &str| {
            let begins = format!("{dataset}@{taken}");
            seen.iter().any(|one| one.starts_with(&begins) && !has(&before, one))
        };
        new("data/pve-files") && new("data/vm")
    };
    let outcome = wait(node, "the hour turned and nothing was taken", fresh);
    fleet.serve()?;
    outcome?;
    fleet.wait_connected(L)?;
    let events = fleet.must(&["events", "--width", "200"])?;
    ensure!(
        events.contains("snapshot"),
        "the coordinator has not heard of it: {events}"
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    node.must(&format!("date -s @{now}")).map(drop)
}
