use std::fmt::Write as _;

use heeler_agent::node_status::{NOT_ADDED, NodeStatus, Task};
use heeler_agent::release::Plan;
use heeler_proto::duration::span;

/// The state of the agent, in lines of at most 80 columns where possible.
pub fn status(status: &NodeStatus) -> String {
    let mut text = String::new();
    if status.faults.iter().any(|fault| fault == NOT_ADDED) {
        for fault in &status.faults {
            let _ = writeln!(text, "{fault}");
        }
        return text;
    }
    let node = match status.node.as_str() {
        "" => "no name",
        node => node,
    };
    let boot = if status.enabled {
        "starts at boot"
    } else {
        "does NOT start at boot"
    };
    let service = if status.service.is_empty() {
        "unknown"
    } else {
        &status.service
    };
    let _ = writeln!(text, "{node}  heeler-agent {}, {service}, {boot}", status.version);
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12} {value}");
    };
    field("coordinator", &status.coordinators.join(", "));
    if !status.says.is_empty() {
        field("now", &status.says);
    }
    field("last session", &past(status.coordinator_ms, status.now_ms));
    field(
        "certificate",
        &match status.certificate_until_ms {
            0 => "none".to_owned(),
            until if until <= status.now_ms => format!("expired {} ago", span(status.now_ms - until)),
            until => format!("valid for {}", span(until - status.now_ms)),
        },
    );
    field("task", &task(status));
    if status.untold > 0 {
        field("untold", &format!("{} events wait for the coordinator", status.untold));
    }
    field(
        "paused",
        &status.paused.as_ref().map_or_else(
            || "no".to_owned(),
            |hold| {
                let left = match hold.until_ms {
                    0 => "until heeler-agent resume".to_owned(),
                    until => format!("{} more", span(until.saturating_sub(status.now_ms))),
                };
                let reason = if hold.reason.is_empty() {
                    String::new()
                } else {
                    format!(": {}", hold.reason)
                };
                format!("YES, {left}{reason}")
            },
        ),
    );
    let schedule = &status.schedule;
    for (name, last_ms, next_ms) in [
        ("snapshots", schedule.newest_snapshot_ms, schedule.next_snapshot_ms),
        ("scrub", schedule.last_scrub_ms, schedule.next_scrub_ms),
        ("copy", schedule.last_copy_ms, schedule.next_copy_ms),
    ] {
        let last = match last_ms {
            0 => "none yet".to_owned(),
            last => format!("last {} ago", span(status.now_ms.saturating_sub(last))),
        };
        let next = match next_ms {
            0 => "none scheduled".to_owned(),
            next => format!("{last}, next in {}", span(next.saturating_sub(status.now_ms))),
        };
        field(name, &next);
    }
    for pool in &status.pools {
        let percent = pool.allocated_bytes.saturating_mul(100).checked_div(pool.size_bytes);
        let online = pool.legs.iter().filter(|leg| leg.state == "ONLINE").count();
        field(
            "pool",
            &format!(
                "{}  {}  {}%  {online}/{} disks  {} data errors",
                pool.name,
                pool.state,
                percent.unwrap_or(0),
                pool.legs.len(),
                pool.errors
            ),
        );
    }
    for fault in &status.faults {
        let _ = writeln!(text, "LOOK  {fault}");
    }
    text
}

/// What a release stops, what starts in its place, and what continues.
pub fn release(plan: &Plan) -> String {
    let mut text = String::new();
    let starts = plan.takes_over();
    for (head, lines) in [
        ("Stops:", &plan.stops),
        ("Starts:", &starts),
        ("Continues:", &plan.continues),
    ] {
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{head}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    if !plan.refused.is_empty() {
        let _ = writeln!(text, "Refused for now: {}", plan.refused);
    }
    text
}

fn task(status: &NodeStatus) -> String {
    let word = |task: &Task| format!("{} {} (revision {})", task.kind, task.id, task.revision);
    match (&status.in_hand, &status.last) {
        (Some(task), _) => format!("RUNNING: {}", word(task)),
        (None, Some(last)) => format!("none is running; the last one: {}", word(last)),
        (None, None) => "none is running".to_owned(),
    }
}

fn past(then_ms: u64, now_ms: u64) -> String {
    match then_ms {
        0 => "never".to_owned(),
        then => format!("began {} ago", span(now_ms.saturating_sub(then))),
    }
}
