//! The backplane card: up on every node, confirmed by the others, and restored when it is not confirmed.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Case, Cost, FLEET, L, R, Run, X};
use crate::fleet::Fleet;
use crate::machine::{NAMES, Network};
use crate::node::NodeHandle;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: FLEET,
        name: "holds-network: the backplane comes up on three nodes, each confirmed by those before it, for good",
        cost: Cost::Seconds(210),
        run: Run::Fleet(comes_up),
    },
    Case {
        on: FLEET,
        name: "holds-network: an address that a stranger has is not taken",
        cost: Cost::Seconds(10),
        run: Run::Fleet(duplicate),
    },
    Case {
        on: FLEET,
        name: "holds-network: another subnet is refused in the plan, and the peers that it would cut off are named",
        cost: Cost::Seconds(40),
        run: Run::Fleet(wrong_subnet),
    },
    Case {
        on: FLEET,
        name: "holds-network: a change that cuts off only a peer is undone",
        cost: Cost::Seconds(170),
        run: Run::Fleet(cuts_off_a_peer),
    },
    Case {
        on: FLEET,
        name: "holds-network: the agent is killed in the middle of a change and stays dead; the old address is back",
        cost: Cost::Seconds(210),
        run: Run::Fleet(agent_killed),
    },
    Case {
        on: FLEET,
        name: "holds-network: the power is cut in the middle of a change; the node comes back and the task ends",
        cost: Cost::Seconds(190),
        run: Run::Fleet(power_cut),
    },
    Case {
        on: FLEET,
        name: "holds-network: the card is pulled, told of, and up again in another port",
        cost: Cost::Seconds(40),
        run: Run::Fleet(pulled),
    },
];

/// The guard's time, its undo, and room for a slow machine.
const UNDONE: Duration = Duration::from_secs(240);
const ARMED: &str = "/var/lib/heeler-agent/guard/armed";

fn usual(place: usize) -> String {
    format!("10.10.99.{}", 50 + place)
}

/// Writes heeler.toml for three nodes without pools; `other` changes the first one's backplane.
fn write(fleet: &Fleet<'_>, other: Option<(&str, &str)>) -> Result<()> {
    let path = fleet.config().join("heeler.toml");
    let text = std::fs::read_to_string(&path)?;
    let head = text.split("[network]").next().context("an empty heeler.toml")?;
    let head = head.split("\n[nodes").next().unwrap_or(head);
    let mut text = format!("{head}\n[network]\nsubnet = \"10.10.80.0/24\"\nbackplane = \"10.10.99.0/24\"\n");
    for (place, name) in NAMES.iter().enumerate() {
        let (address, more) = match other {
            Some((address, more)) if place == 0 => (address.to_owned(), more),
            _ => (usual(place), ""),
        };
        text += &format!(
            "\n[nodes.{name}]\naddress = \"10.10.80.{}\"\nbackplane = {{ address = \"{address}\" }}\n{more}\n",
            50 + place
        );
    }
    Ok(std::fs::write(path, text)?)
}

/// Also for nodes that have a pool of an earlier case, which this heeler.toml does not name.
fn changes_nothing(plan: &str) -> bool {
    plan.contains("Nothing to change.") || plan.contains("Apply changes nothing on these nodes.")
}

fn comes_up(fleet: &mut Fleet<'_>) -> Result<()> {
    for name in NAMES {
        fleet
            .add(name, PASSWORD, &[])?
            .success()
            .with_context(|| format!("node add {name}"))?;
    }
    write(fleet, None)?;
    another_file_is_named(fleet)?;
    let plan = fleet.must(&["plan", "--width", "200"])?;
    ensure!(
        plan.contains("+ file  pin the backplane to 00:e0:4c:68:00:01")
            && plan.contains("~ net   backplane none -> 10.10.99.50/24, undone in 90 s if unconfirmed"),
        "{plan}"
    );
    fleet.must(&["apply", "--yes"])?;
    all_reach_each_other(fleet)?;
    let events = fleet.must(&["events", "--width", "200"])?;
    ensure!(events.contains(&format!("and by {L}, {R}")), "{events}");
    let again = fleet.must(&["plan"])?;
    ensure!(changes_nothing(&again), "{again}");
    let node = fleet.lab().node(X)?;
    node.must("nmcli -t -f DEVICE,STATE device | grep -q '^enbp0:unmanaged'; networkctl status enbp0 >/dev/null")?;
    let before = node.status()?.starts;
    node.reset()?;
    node.wait_restart(before)?;
    node.wait_ready()?;
    node.wait_ssh()?;
    wait_for_address(&node, &usual(2))?;
    fleet.wait_connected(X)?;
    let again = fleet.must(&["plan", X])?;
    ensure!(changes_nothing(&again), "after a reboot: {again}");
    Ok(())
}

/// Debian's cloud image has a file that lets systemd-networkd configure every card, the backplane's too.
fn another_file_is_named(fleet: &Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(X)?;
    let path = "/etc/netplan/45-all.yaml";
    node.must(&format!(
        "printf 'network:\\n  ethernets:\\n    all-en:\\n      renderer: networkd\\n      match: {{name: \"en*\"}}\\n      dhcp4: true\\n' >{path}"
    ))?;
    let plan = fleet.run(&["plan", X, "--width", "200"])?;
    ensure!(plan.stdout.contains(&format!("{path}:3: all-en:")), "{}", plan.stdout);
    node.must(&format!("[ ! -e {ARMED} ] && rm {path}"))?;
    Ok(())
}

fn all_reach_each_other(fleet: &Fleet<'_>) -> Result<()> {
    for node in fleet.lab().nodes() {
        for place in 0..NAMES.len() {
            let peer = usual(place);
            node.must(&format!(
                "ping -q -c 3 -W 5 -I enbp0 {peer} || ping -q -c 2 -W 5 {peer}"
            ))?;
        }
    }
    Ok(())
}

fn wait_for_address(node: &NodeHandle<'_>, address: &str) -> Result<()> {
    let until = Instant::now() + UNDONE;
    loop {
        let seen = node.root("ip -4 -br addr show dev enbp0; ls /var/lib/heeler-agent/guard")?;
        if seen.ok() && seen.stdout.contains(&format!("{address}/24")) && !seen.stdout.contains("armed") {
            return Ok(());
        }
        if Instant::now() > until {
            bail!(
                "{} does not have {address}: {}{}",
                node.name(),
                seen.stdout,
                seen.stderr
            );
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn duplicate(fleet: &mut Fleet<'_>) -> Result<()> {
    let ip = |verb: &str| -> Result<()> {
        let mut ip = fleet
            .lab()
            .command("ip", ["addr", verb, "10.10.99.77/24", "dev", "backplane"]);
        ensure!(ip.status()?.success(), "ip addr {verb}");
        Ok(())
    };
    ip("add")?;
    write(fleet, Some(("10.10.99.77", "")))?;
    let plan = fleet.run(&["plan", L, "--width", "200"]);
    ip("del")?;
    let said = plan?.stdout;
    ensure!(said.contains("BLOCKED") && said.contains("answers for it"), "{said}");
    wait_for_address(&fleet.lab().node(L)?, &usual(0))
}

/// Asserts that the apply fails and says `why`, and that the first node is as before.
fn undone(fleet: &Fleet<'_>, why: &str) -> Result<()> {
    let applied = fleet.run(&["apply", "--yes", L, "--width", "200"])?;
    let status = fleet.must(&["status", "--width", "300"])?;
    ensure!(
        applied.code != 0 && status.contains("was undone") && status.contains(why),
        "apply ended with {}: {}{}; {status}",
        applied.code,
        applied.stdout,
        applied.stderr
    );
    wait_for_address(&fleet.lab().node(L)?, &usual(0))?;
    write(fleet, None)?;
    fleet.must(&["apply", "--yes", L])?;
    all_reach_each_other(fleet)
}

fn wrong_subnet(fleet: &mut Fleet<'_>) -> Result<()> {
    write(
        fleet,
        Some(("10.10.98.50", "network = { backplane = \"10.10.98.0/24\" }")),
    )?;
    let plan = fleet.run(&["plan", L, "--width", "300"])?.stdout;
    ensure!(
        plan.contains("BLOCKED") && plan.contains("on another subnet") && plan.contains(R) && plan.contains(X),
        "{plan}"
    );
    wait_for_address(&fleet.lab().node(L)?, &usual(0))?;
    write(fleet, None)?;
    let again = fleet.must(&["plan", L])?;
    ensure!(changes_nothing(&again), "{again}");
    all_reach_each_other(fleet)
}

fn cuts_off_a_peer(fleet: &mut Fleet<'_>) -> Result<()> {
    let peer = fleet.lab().node(X)?;
    // As with a stale switch entry or a firewall: this one peer cannot reach the new address.
    peer.must("ip route add blackhole 10.10.99.60/32; ip neigh replace 10.10.99.60 lladdr 02:00:00:00:00:60 dev enbp0 nud permanent")?;
    write(fleet, Some(("10.10.99.60", "")))?;
    let done = undone(fleet, &format!("{X} does not reach 10.10.99.60"));
    peer.must("ip route del blackhole 10.10.99.60/32; ip neigh del 10.10.99.60 dev enbp0")?;
    done
}

/// Waits until the first node has begun its network change.
fn wait_armed(node: &NodeHandle<'_>) -> Result<()> {
    let script = format!("for i in $(seq 600); do [ -e {ARMED} ] && exit; sleep 0.1; done; exit 1");
    node.must(&script).map(drop)
}

fn agent_killed(fleet: &mut Fleet<'_>) -> Result<()> {
    write(fleet, Some(("10.10.99.60", "")))?;
    let node = fleet.lab().node(L)?;
    // Killed as soon as the change has begun, and not started again.
    node.must(&format!(
        "set -e; mkdir -p /run/systemd/system/heeler-agent.service.d
         printf '[Service]\\nRestart=no\\n' > /run/systemd/system/heeler-agent.service.d/off.conf; systemctl daemon-reload
         systemd-run --quiet --unit=killer sh -c 'while ! [ -e {ARMED} ]; do sleep 0.05; done; sleep 0.5;
         systemctl kill -s KILL heeler-agent.service'"
    ))?;
    let mut watching = fleet.start(&["apply", "--yes", L])?;
    wait_armed(&node)?;
    let began = Instant::now();
    wait_for_address(&node, &usual(0))?;
    println!(
        "    {L}: the old address was back {} s after the change began",
        began.elapsed().as_secs()
    );
    let left =
        node.must("systemctl show -p ActiveState,SubState heeler-agent.service; grep -H 10.10.99 /etc/netplan/*.yaml")?;
    ensure!(
        !left.contains("ActiveState=active") && !left.contains("10.10.99.60"),
        "{left}"
    );
    node.must("rm -r /run/systemd/system/heeler-agent.service.d; systemctl daemon-reload; systemctl start heeler-agent.service")?;
    fleet.wait_connected(L)?;
    let code = watching.wait()?.code();
    ensure!(code != Some(0), "apply ended with {code:?}");
    write(fleet, None)?;
    fleet.must(&["apply", "--yes", L])?;
    all_reach_each_other(fleet)
}

fn power_cut(fleet: &mut Fleet<'_>) -> Result<()> {
    write(fleet, Some(("10.10.99.60", "")))?;
    let node = fleet.lab().node(L)?;
    let mut watching = fleet.start(&["apply", "--yes", L])?;
    wait_armed(&node)?;
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    fleet.wait_connected(L)?;
    let code = watching.wait()?.code();
    let has = |address| node.root(&format!("ip -4 -br addr show dev enbp0 | grep -q {address}/24"));
    let (new, old) = (has("10.10.99.60")?.ok(), has("10.10.99.50")?.ok());
    println!("    {L}: apply ended with {code:?}; the new address: {new}, the old one: {old}");
    ensure!(
        new == (code == Some(0)) && old != new,
        "apply ended with {code:?}; new {new}, old {old}"
    );
    node.must(&format!("! [ -e {ARMED} ]"))?;
    write(fleet, None)?;
    fleet.must(&["apply", "--yes", L])?;
    all_reach_each_other(fleet)
}

fn pulled(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(X)?;
    node.card(Network::Backplane, None)?;
    let plan = fleet.run(&["plan", X, "--width", "200"])?.stdout;
    ensure!(plan.contains("BLOCKED") && plan.contains("00:e0:4c:68:00:03"), "{plan}");
    node.card(Network::Backplane, Some(3))?;
    wait_for_address(&node, &usual(2))?;
    let plan = fleet.must(&["plan", X])?;
    ensure!(changes_nothing(&plan), "{plan}");
    all_reach_each_other(fleet)
}
