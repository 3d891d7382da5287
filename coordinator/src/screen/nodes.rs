use heeler_proto::Word as _;
use heeler_proto::v1::{Facts, NodeInfo, NodeState, ScheduleFacts, ShowNodeReply};
use jiff::tz::TimeZone;

use super::amount::{ago, date, decimal, gibibytes};
use super::line::hang;
use super::node_plan::paused;
use super::table::{plain, table};
use super::{Ink, Line, Screen};

pub fn nodes(nodes: &[NodeInfo], now_ms: u64, screen: Screen) -> Vec<Line> {
    if nodes.is_empty() {
        return hang(
            Line::of("No node yet. Next: "),
            Ink::Plain,
            "heeler node add NAME --ssh USER@HOST",
            screen,
        );
    }
    let row = |node: &NodeInfo| {
        let facts = node.facts.clone().unwrap_or_default();
        let ink = match node.state() {
            NodeState::Enrolled => Ink::Green,
            NodeState::Revoked => Ink::Red,
            _ => Ink::Amber,
        };
        let seen = if node.connected {
            "now".into()
        } else {
            ago(node.last_seen_ms, now_ms)
        };
        let left = node.certificate_expires_ms.saturating_sub(now_ms) / 86_400_000;
        let certificate = if node.certificate_expires_ms == 0 {
            "-".into()
        } else {
            format!("{left} d left")
        };
        vec![
            (Ink::Bold, node.node.clone()),
            match node.pause {
                Some(_) => (Ink::Amber, "paused".into()),
                None => (ink, node.state().word().into()),
            },
            plain(seen),
            plain(certificate),
            plain(facts.agent_version),
            plain(facts.model),
        ]
    };
    table(
        &["NODE", "STATE", "SEEN", "CERTIFICATE", "AGENT", "MODEL"],
        nodes.iter().map(row).collect(),
    )
}

/// Everything known about one node.
pub fn node(reply: &ShowNodeReply, now_ms: u64, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let node = reply.node.clone().unwrap_or_default();
    let seen = if node.connected {
        "now".into()
    } else {
        ago(node.last_seen_ms, now_ms)
    };
    let mut lines = vec![
        Line::new()
            .ink(Ink::Bold, &node.node)
            .plain(format!("  {}, seen {seen}", node.state().word())),
        field("board", &node.hardware_serial),
        field("hostid", &node.hostid),
        field("host key", &node.host_key),
        field("key", &node.key_sha256),
    ];
    if let Some(pause) = &node.pause {
        lines.push(field("paused", &paused(pause, now_ms)));
    }
    if node.certificate_expires_ms > 0 {
        lines.push(field(
            "certificate",
            &format!("until {}", date(node.certificate_expires_ms, zone)),
        ));
    }
    lines.extend(node.facts.iter().flat_map(facts));
    let schedule = node.facts.as_ref().and_then(|facts| facts.schedule.as_ref());
    lines.extend(schedule.and_then(|schedule| copy(schedule, now_ms)));
    if let Some(drift) = &reply.drift {
        let when = format!("revision {}, {} ago", drift.revision, ago(drift.at_ms, now_ms));
        let steps = super::node_plan::differing(&drift.steps, screen);
        let found = if steps.is_empty() {
            "nothing differs from"
        } else {
            "differs from"
        };
        lines.push(field("config", &format!("{found} {when}")));
        lines.extend(steps);
    }
    if !reply.tasks.is_empty() {
        lines.push(Line::new());
        lines.extend(super::tasks(&reply.tasks, now_ms, screen));
    }
    lines
}

/// When the SD card was copied to the pool last; None when no copies are wanted.
fn copy(schedule: &ScheduleFacts, now_ms: u64) -> Option<Line> {
    if schedule.copy_overdue_ms == 0 {
        return None;
    }
    let when = match schedule.last_copy_ms {
        0 => "none yet".to_owned(),
        last => format!("last {} ago", ago(last, now_ms)),
    };
    let text = match schedule.copy_problem.as_str() {
        "" => when,
        problem => format!("{when}; {problem}"),
    };
    Some(field("card copy", &text))
}

pub fn facts(facts: &Facts) -> Vec<Line> {
    let machine = format!(
        "{}, {}, {}",
        facts.model,
        facts.architecture,
        gibibytes(facts.memory_bytes.saturating_add(1 << 29))
    );
    let zfs = if facts.zfs_version.is_empty() {
        "not loaded"
    } else {
        facts.zfs_version.as_str()
    };
    let clock = if facts.clock_synchronised {
        "synchronised"
    } else {
        "NOT synchronised"
    };
    let mut lines = vec![
        field("machine", &machine),
        field("system", &format!("{}, Linux {}", facts.os, facts.kernel)),
        field("agent", &format!("{}, ZFS {zfs}, clock {clock}", facts.agent_version)),
    ];
    for disk in &facts.disks {
        let slot = if disk.slot.is_empty() {
            "disk".into()
        } else {
            format!("slot {}", disk.slot)
        };
        let text = format!(
            "{}  {:<6}  {}  {}",
            disk.serial,
            decimal(disk.size_bytes),
            disk.finding,
            disk.model
        );
        lines.push(field(&slot, &text));
    }
    for nic in &facts.nics {
        let carrier = if nic.carrier { "up" } else { "no carrier" };
        let speed = if nic.speed_mbit > 0 {
            format!(", {} Mbit/s", nic.speed_mbit)
        } else {
            String::new()
        };
        let text = format!(
            "{}  {}  {carrier}{speed}  {}",
            nic.mac,
            nic.bus,
            nic.addresses.join(" ")
        );
        lines.push(field(&nic.name, &text));
    }
    for pool in &facts.pools {
        let percent = pool
            .allocated_bytes
            .saturating_mul(100)
            .checked_div(pool.size_bytes)
            .unwrap_or(0);
        let text = format!(
            "{}  {}  {percent}% of {}",
            pool.name,
            pool.state,
            gibibytes(pool.size_bytes)
        );
        lines.push(field("pool", &text));
    }
    lines
}

fn field(name: &str, value: &str) -> Line {
    let value = if value.trim().is_empty() { "-" } else { value };
    Line::of("  ").ink(Ink::Dim, name).to(15, 1).plain(value).hanging(15)
}
