//! Both packages on a real node: installed, upgraded, purged. Everything else on the node stays.

use anyhow::{Result, ensure};

use super::{Case, Cost, R, Run, X};
use crate::fleet::Fleet;
use crate::node::NodeHandle;
use crate::packages::{NEW, OLD, Packages};
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: R,
        name: "packages-agent: takes first contact's place, is upgraded, and its purge leaves the machine as it is",
        cost: Cost::Seconds(110),
        run: Run::Fleet(agent),
    },
    Case {
        on: R,
        name: "packages-agent: where it comes first, first contact leaves the agent to apt",
        cost: Cost::Seconds(100),
        run: Run::Fleet(package_first),
    },
    Case {
        on: X,
        name: "packages-coordinator: serves as its user, keeps its conffile over an upgrade and its state over a purge",
        cost: Cost::Seconds(330),
        run: Run::Fleet(coordinator),
    },
];

/// The machine's own: pools, datasets, snapshots, addresses, links and their configuration.
const MACHINE: &str = "zpool list -H -o name,guid,health 2>/dev/null; zfs list -H -t all -o name,guid,mounted 2>/dev/null; \
     findmnt -rn -t zfs -o TARGET | sort; ip -br address | sed 's/ *$//'; \
     find /etc/netplan /etc/systemd/network /etc/NetworkManager /etc/modprobe.d /etc/hostid -type f \
     -exec sha256sum {} + 2>/dev/null | sort; systemctl is-enabled zfs-import-cache.service zfs-mount.service zfs.target; true";

fn dpkg(node: NodeHandle<'_>, arguments: &str) -> Result<String> {
    node.must(&format!("DEBIAN_FRONTEND=noninteractive dpkg {arguments} 2>&1"))
}

/// Asserts that systemd runs the agent at `path`.
fn runs(node: NodeHandle<'_>, path: &str) -> Result<()> {
    let script = format!(
        "systemctl is-active heeler-agent.service >/dev/null || {{ systemctl status heeler-agent.service; exit 1; }}; \
         [ \"$(readlink /proc/$(systemctl show -p MainPID --value heeler-agent.service)/exe)\" = {path} ]; \
         systemctl is-enabled --quiet heeler-agent.service"
    );
    node.must(&format!("set -e; {script}")).map(drop)
}

fn agent(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(R)?;
    fleet.have(R)?;
    fleet.apply(R)?;
    node.must("zfs snapshot data/pve-files@mine; echo kept > /data/pve-files/kept; sync")?;
    let machine = node.must(MACHINE)?;
    let key = node.must("sha256sum /var/lib/heeler-agent/identity/key.pem")?;

    let old = Packages::build(fleet.lab(), node, OLD)?.put("heeler-agent", node)?;
    let new = Packages::build(fleet.lab(), node, NEW)?.put("heeler-agent", node)?;
    dpkg(node, &format!("-i {old}"))?;
    node.must("set -e; ! [ -e /usr/local/sbin/heeler-agent ]; ! [ -e /etc/systemd/system/heeler-agent.service ]")?;
    runs(node, "/usr/sbin/heeler-agent")?;
    fleet.wait_connected(R)?;

    let said = fleet.add(R, PASSWORD, &[])?;
    let aside = said.stderr.clone();
    said.success()?;
    ensure!(aside.contains("the agent comes from the Debian package"), "{aside}");
    node.must("! [ -e /usr/local/sbin/heeler-agent ]")?;

    let before = node.must("systemctl show -p MainPID --value heeler-agent.service")?;
    dpkg(node, &format!("-i {new}"))?;
    runs(node, "/usr/sbin/heeler-agent")?;
    let after = node.must("systemctl show -p MainPID --value heeler-agent.service")?;
    ensure!(before != after, "the upgrade left the old agent running");
    ensure!(
        node.must("sha256sum /var/lib/heeler-agent/identity/key.pem")? == key,
        "another key"
    );
    fleet.wait_connected(R)?;
    ensure!(fleet.plan(R)?.contains("nothing to change"), "{}", fleet.plan(R)?);

    // dpkg may run each script again after a power cut.
    dpkg(node, "--configure -a")?;
    node.must("/var/lib/dpkg/info/heeler-agent.postinst configure 0.1.0")?;
    runs(node, "/usr/sbin/heeler-agent")?;

    node.must("mkdir -p /var/lib/heeler-agent/erased/X-1; touch /var/lib/heeler-agent/erased/X-1/table")?;
    dpkg(node, "--remove heeler-agent")?;
    node.must("set -e; [ -e /etc/heeler/agent.json ]; ! systemctl is-active --quiet heeler-agent.service")?;
    dpkg(node, "--purge heeler-agent")?;
    node.must("/bin/sh -c 'dpkg-query -W heeler-agent' >/dev/null 2>&1 && exit 1; true")?;
    let left = node.must(
        "find /etc/heeler /var/lib/heeler-agent /usr/sbin/heeler-agent /usr/lib/systemd/system/heeler* \
         /etc/systemd/system -name '*heeler*' -o -path '*heeler-agent/*' -type f 2>/dev/null; true",
    )?;
    let left: Vec<&str> = left.lines().filter(|line| !line.contains("/erased/")).collect();
    ensure!(left == ["/var/lib/heeler-agent"], "left behind: {left:?}");
    node.must("[ -e /var/lib/heeler-agent/erased/X-1/table ] && rm -r /var/lib/heeler-agent/erased")?;
    let now = node.must(MACHINE)?;
    // The agent may have taken an hourly snapshot before it was removed.
    let hourly = |line: &&str| !line.contains("@heeler_") || machine.contains(line);
    let (was, is): (Vec<&str>, Vec<&str>) = (machine.lines().collect(), now.lines().filter(hourly).collect());
    ensure!(is == was, "before {machine}\nafter {now}");
    node.must(
        "set -e; [ \"$(cat /data/pve-files/kept)\" = kept ]; zfs destroy data/pve-files@mine; rm /data/pve-files/kept",
    )?;
    Ok(())
}

fn package_first(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(R)?;
    let package = Packages::build(fleet.lab(), node, NEW)?.put("heeler-agent", node)?;
    dpkg(node, &format!("-i {package}"))?;
    // Without first contact the unit waits and does not fail.
    node.must("[ \"$(systemctl show -p ConditionResult --value heeler-agent.service)\" = no ] || exit 1; ! systemctl is-failed --quiet heeler-agent.service")?;
    fleet.add(R, PASSWORD, &["--reflashed"])?.success()?;
    node.must("set -e; ! [ -e /usr/local/sbin/heeler-agent ]; ! [ -e /etc/systemd/system/heeler-agent.service ]")?;
    runs(node, "/usr/sbin/heeler-agent")?;
    fleet.wait_connected(R)?;
    dpkg(node, "--purge heeler-agent")?;
    // First contact must still accept the node for the next case.
    fleet.add(R, PASSWORD, &["--reflashed"])?.success()?;
    runs(node, "/usr/local/sbin/heeler-agent")
}

fn coordinator(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(X)?;
    let old = Packages::build(fleet.lab(), node, OLD)?.put("heeler", node)?;
    let new = Packages::build(fleet.lab(), node, NEW)?.put("heeler", node)?;
    dpkg(node, &format!("-i {old}"))?;
    node.must("! systemctl is-failed --quiet heeler.service && ! systemctl is-active --quiet heeler.service")?;
    node.must("set -e; heeler init --cluster small --address 10.10.80.52 /srv/fleet; systemctl start heeler.service")?;
    let serves = "set -e; systemctl is-active heeler.service; \
         [ \"$(stat -c %U /var/lib/heeler/heeler.db)\" = heeler ]; \
         systemctl show -p StatusText --value heeler.service | grep -q 'nodes are connected'; heeler status --json";
    let status = node.must(serves)?;
    ensure!(status.contains("\"summary\": \"no nodes yet\""), "{status}");
    let sockets = node.must("ss -Hltn | awk '{print $4}'")?;
    ensure!(sockets.contains(":7443") && sockets.contains(":7444"), "{sockets}");
    node.must("zcat /usr/share/man/man1/heeler-node-add.1.gz | grep -q skip")?;

    node.must("echo 'HEELER_SERVE=\"--listen 127.0.0.1\"' > /etc/default/heeler")?;
    let ca = node.must("sha256sum /var/lib/heeler/ca/key.pem")?;
    dpkg(node, &format!("--force-confdef -i {new}"))?;
    node.must("grep -q 127.0.0.1 /etc/default/heeler")?;
    node.must(serves)?;
    let sockets = node.must("ss -Hltn | awk '{print $4}'")?;
    ensure!(
        sockets.contains("127.0.0.1:7443"),
        "the conffile is not read: {sockets}"
    );

    let said = dpkg(node, "--purge heeler")?;
    ensure!(said.contains("kept /var/lib/heeler"), "{said}");
    node.must(
        "set -e; ! [ -e /usr/bin/heeler ]; ! [ -e /etc/default/heeler ]; ! systemctl is-active --quiet heeler.service",
    )?;
    ensure!(
        node.must("sha256sum /var/lib/heeler/ca/key.pem")? == ca,
        "the purge took the CA's key"
    );
    dpkg(node, &format!("-i {new}"))?;
    node.must(serves)?;
    dpkg(node, "--purge heeler")?;
    node.must("rm -r /var/lib/heeler /srv/fleet").map(drop)
}
