//! Pools that cannot, or should not, be imported are never made anew; those that can come back with their data.

use anyhow::{Context, Result, ensure};

use super::{Case, Run};
use crate::herd::Herd;
use crate::node::NodeHandle;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "two pools of one name: neither is taken, none is made",
        run: Run::Herd(two_of_one_name),
    },
    Case {
        name: "a power cut during zpool create: explained, erased with consent, created",
        run: Run::Herd(cut_create),
    },
    Case {
        name: "a live pool's disk is not erased",
        run: Run::Herd(live_disk),
    },
    Case {
        name: "an exported pool comes back by its guid",
        run: Run::Herd(exported),
    },
    Case {
        name: "a leg is missing: a person is asked, and nothing is imported unasked",
        run: Run::Herd(missing_leg),
    },
    Case {
        name: "a node whose root disk was replaced imports its old pool with its data",
        run: Run::Herd(reflashed),
    },
    Case {
        name: "a pool with an unsupported feature is never made anew",
        run: Run::Herd(unsupported),
    },
];

const L: &str = "k8sctl-pi5l";
const R: &str = "k8sctl-pi5r";

fn path(serial: &str) -> String {
    format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}")
}

fn blocked(herd: &Herd<'_>, node: NodeHandle<'_>, words: &str) -> Result<()> {
    let serials = node.serials()?;
    let hashes = || -> Result<Vec<u64>> { serials.iter().map(|serial| node.disk(serial).hash()).collect() };
    node.must("sync")?;
    let before = hashes()?;
    let plan = herd.plan(node.name())?;
    ensure!(
        plan.contains("BLOCKED") && plan.contains(words),
        "the plan is not blocked with {words:?}: {plan}"
    );
    let done = herd.run(&["apply", "--yes", "--confirm", node.name(), node.name()])?;
    ensure!(
        done.code == 3,
        "apply ended with {}: {}{}",
        done.code,
        done.stdout,
        done.stderr
    );
    ensure!(hashes()? == before, "a disk was written to");
    Ok(())
}

fn guid(node: NodeHandle<'_>) -> Result<String> {
    node.must("zpool list -H -o guid data").context("no pool data")
}

/// The node has its pool, with a file in it.
fn with_pool<'a>(herd: &Herd<'a>, name: &'a str) -> Result<NodeHandle<'a>> {
    herd.have(name)?;
    let node = herd.lab().node(name)?;
    if node.root("zpool list data")?.code != 0 {
        herd.apply(name)?;
    }
    node.must("findmnt -t zfs /data/pve-files && echo precious > /data/pve-files/precious && sync")?;
    Ok(node)
}

fn two_of_one_name(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(L)?;
    let node = herd.lab().node(L)?;
    let disks: Vec<String> = node.serials()?.iter().map(|serial| path(serial)).collect();
    let make = |disk: &String| format!("zpool create data {disk}; zpool export data; ");
    node.must(&format!("set -e; {}{}", make(&disks[0]), make(&disks[1])))?;
    let outcome = blocked(herd, node, "waits to be imported");
    let wipe = |disk: &String| format!("blkdiscard -q -f -z {disk}; ");
    node.must(&format!("{}{}udevadm settle", wipe(&disks[0]), wipe(&disks[1])))?;
    outcome
}

/// Cut at a moment that is seen from outside: the first disk carries a partition table, and no label is written yet.
fn cut_create(herd: &mut Herd<'_>) -> Result<()> {
    herd.have(L)?;
    let node = herd.lab().node(L)?;
    let serials = node.serials()?;
    let mut applying = herd.start(&["apply", "--yes", "--confirm", L, L])?;
    while !partitioned(node, &serials)? {
        ensure!(
            applying.try_wait()?.is_none(),
            "apply ended before a disk was written to"
        );
    }
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    herd.wait_connected(L)?;
    let code = applying.wait()?.code();
    node.must("[ -z \"$(zpool import 2>&1 | grep -w ONLINE)\" ] && ! zpool list data")?;
    let plan = herd.plan(L)?;
    ensure!(
        code == Some(3) && plan.contains("BLOCKED") && plan.contains("half-made by us"),
        "apply ended with {code:?}: {plan}"
    );
    let erase = |serial: &&String| plan.contains(&format!("heeler disk erase {serial}"));
    let made: Vec<&String> = serials.iter().filter(erase).collect();
    ensure!(!made.is_empty(), "the plan names no disk to erase: {plan}");
    println!("    half-made: {made:?}");
    for serial in made {
        herd.must(&["disk", "erase", serial, "--confirm", serial])?;
    }
    herd.apply(L)?;
    node.must("zpool status -P data | grep -c nvme-QEMU | grep -qx 2 && findmnt -t zfs /data/pve-files")
        .map(drop)
}

/// Whether one of the disks has a GPT.
fn partitioned(node: NodeHandle<'_>, serials: &[String]) -> Result<bool> {
    let signature = |serial: &String| node.disk(serial).read(512, 8);
    let found: Vec<Vec<u8>> = serials.iter().map(signature).collect::<Result<_>>()?;
    Ok(found.iter().any(|bytes| bytes == b"EFI PART"))
}

fn live_disk(herd: &mut Herd<'_>) -> Result<()> {
    let node = with_pool(herd, R)?;
    let serial = node.serials()?[0].clone();
    let before = guid(node)?;
    let done = herd.run(&["disk", "erase", &serial, "--confirm", &serial])?;
    ensure!(done.code != 0, "it was erased: {}", done.stdout);
    ensure!(
        guid(node)? == before && node.must("zpool list -H -o health data")? == "ONLINE\n",
        "the pool suffered"
    );
    Ok(())
}

fn exported(herd: &mut Herd<'_>) -> Result<()> {
    let node = with_pool(herd, R)?;
    let before = guid(node)?;
    node.must("zpool export data")?;
    herd.apply(R)?;
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "another pool came back"
    );
    Ok(())
}

fn missing_leg(herd: &mut Herd<'_>) -> Result<()> {
    let node = with_pool(herd, R)?;
    let before = guid(node)?;
    let serial = node.serials()?[1].clone();
    node.must("zpool export data")?;
    node.remove_disk(&serial)?;
    let outcome = (|| {
        let plan = herd.plan(R)?;
        ensure!(
            plan.contains(&serial) && (plan.contains("IRREVERSIBLE") || plan.contains("BLOCKED")),
            "{plan}"
        );
        let done = herd.run(&["apply", "--yes", R])?;
        ensure!(done.code != 0, "apply --yes was enough: {}", done.stdout);
        ensure!(node.root("zpool list data")?.code != 0, "it was imported unasked");
        Ok(())
    })();
    node.add_disk(&serial)?;
    node.must(&format!(
        "for i in $(seq 100); do [ -b {} ] && exit; sleep 0.2; done; exit 1",
        path(&serial)
    ))?;
    outcome?;
    herd.apply(R)?;
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "another pool came back"
    );
    node.must("zpool list -H -o health data | grep -x ONLINE").map(drop)
}

fn reflashed(herd: &mut Herd<'_>) -> Result<()> {
    let node = with_pool(herd, R)?;
    let before = guid(node)?;
    node.cut()?;
    node.reflash()?;
    node.start()?;
    node.wait_ready()?;
    node.must("! zpool list data && echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/zz-case")?;
    let agents = herd.folder().join("agents").display().to_string();
    // The new host key is agreed to at a terminal.
    let heeler = herd.command(&["node", "add", R, "--reflashed", "--yes", "--agent-dir", &agents]);
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
    let plan = herd.plan(R)?;
    ensure!(plan.contains("import") && !plan.contains("zpool create"), "{plan}");
    herd.must(&["apply", "--yes", R])?;
    ensure!(
        guid(node)? == before && node.must("cat /data/pve-files/precious")? == "precious\n",
        "the data is not what it was"
    );
    ensure!(PASSWORD != "y", "the answer was not a password");
    Ok(())
}

fn unsupported(herd: &mut Herd<'_>) -> Result<()> {
    let node = with_pool(herd, R)?;
    node.must(
        "zpool export data; zhack feature enable -d future data com.example:future && zhack feature ref data com.example:future; \
         ! zpool import data 2>/dev/null",
    )?;
    let outcome = blocked(herd, node, "older than the one that made the pool");
    node.must("zhack feature ref -d data com.example:future && zpool import data")?;
    outcome
}
