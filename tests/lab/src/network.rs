//! Two switches and a home router in the lab's network namespace.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::machine::{Network, Node};
use crate::run::program;

/// LAN address of the coordinator, which is also the router.
pub const ROUTER: &str = "10.10.80.1";

/// Makes the bridges, and a cable for each node and network. They end with the network namespace, in which this must
/// run. Fails when `ip` fails.
pub fn build(nodes: &[Node]) -> Result<()> {
    let mut script = format!(
        "link set lo up\n\
         link add lan type bridge\nlink set lan up\naddr add {ROUTER}/24 dev lan\n\
         link add backplane type bridge\nlink set backplane up\n"
    );
    for node in nodes {
        for (network, bridge) in [(Network::Lan, "lan"), (Network::Backplane, "backplane")] {
            let tap = node.tap(network);
            script.push_str(&format!(
                "tuntap add {tap} mode tap\nlink set {tap} master {bridge}\nlink set {tap} up\n"
            ));
        }
    }
    ip(&script)
}

/// Pulls or plugs a node's cable at the switch. Fails when `ip` fails.
pub fn link(node: &Node, network: Network, up: bool) -> Result<()> {
    ip(&format!(
        "link set {} {}\n",
        node.tap(network),
        if up { "up" } else { "down" }
    ))
}

fn ip(script: &str) -> Result<()> {
    let mut ip = program("ip", ["-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start ip")?;
    ip.stdin
        .take()
        .context("ip has no standard input")?
        .write_all(script.as_bytes())?;
    let output = ip.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "ip refused the lab's network: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Starts DHCP like a home router: a fixed lease for each node, none for others. Fails when dnsmasq cannot be started.
pub fn router(nodes: &[Node], folder: &Path) -> Result<Child> {
    let log = fs::File::create(folder.join("dnsmasq.log"))?;
    let mut dnsmasq = program(
        "setpriv",
        [
            "--pdeathsig",
            "KILL",
            "--",
            "dnsmasq",
            "--keep-in-foreground",
            "--port=0",
        ],
    );
    dnsmasq.args([
        "--conf-file=/dev/null",
        "--user=root",
        "--group=root",
        "--pid-file",
        "--log-facility=-",
    ]);
    dnsmasq.args([
        "--interface=lan",
        "--bind-interfaces",
        "--dhcp-authoritative",
        "--dhcp-range=10.10.80.0,static,24h",
    ]);
    dnsmasq
        .arg(format!("--dhcp-option=option:router,{ROUTER}"))
        .arg(format!("--dhcp-option=option:dns-server,{ROUTER}"));
    dnsmasq.arg(format!("--dhcp-leasefile={}", folder.join("dhcp.leases").display()));
    dnsmasq.args(
        nodes
            .iter()
            .map(|node| format!("--dhcp-host={},{},24h", node.lan_mac(), node.address())),
    );
    dnsmasq.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    dnsmasq.spawn().context("cannot start dnsmasq")
}
