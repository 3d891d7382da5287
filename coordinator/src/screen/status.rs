use heeler_proto::v1::{Light, NodeStatus, StatusReply};

use super::amount::ago;
use super::line::hang;
use super::table::{plain, table};
use super::{Ink, Line, Screen};

/// Older facts are shown with their age, milliseconds.
const OLD_MS: u64 = 60_000;

/// The status: light, reason, and what to type.
pub fn status(reply: &StatusReply, screen: Screen) -> Vec<Line> {
    let mut lines = hang(light(reply.light()).plain("  "), Ink::Bold, &reply.summary, screen);
    if !reply.nodes.is_empty() {
        let with_tasks = reply.nodes.iter().any(|node| !node.task.is_empty());
        let mut heads = vec!["NODE", "POOL", "DISKS", "SNAPSHOT", "SCRUB", "LINKS", "SEEN", "CONFIG"];
        if with_tasks {
            heads.push("TASK");
        }
        let rows = reply.nodes.iter().map(|node| row(node, reply.now_ms)).collect();
        lines.extend(table(&heads, rows));
        lines.extend(age(reply, screen));
    }
    let alerts = reply.alerts.iter();
    let first = alerts
        .clone()
        .map(|alert| light(alert.light()).width() + 2)
        .max()
        .unwrap_or(0);
    let column = alerts
        .clone()
        .map(|alert| first + alert.node.chars().count())
        .max()
        .unwrap_or(0);
    for alert in alerts {
        let head = light(alert.light())
            .to(first, 0)
            .plain(&alert.node)
            .to(column, 0)
            .plain("  ");
        let indent = head.width();
        lines.extend(hang(head, Ink::Plain, &alert.text, screen));
        if !alert.next.is_empty() {
            lines.extend(hang(Line::of(" ".repeat(indent)), Ink::Bold, &alert.next, screen));
        }
    }
    if !reply.next.is_empty() {
        lines.push(Line::new());
        lines.extend(hang(
            Line::new().ink(Ink::Bold, "Next: "),
            Ink::Plain,
            &reply.next,
            screen,
        ));
    }
    lines
}

/// The age of old facts. A node that is away is left out: SEEN shows its age.
fn age(reply: &StatusReply, screen: Screen) -> Vec<Line> {
    let looked = reply.nodes.iter().filter(|node| node.connected && node.pools_at_ms > 0);
    match looked.map(|node| node.pools_at_ms).min() {
        Some(at_ms) if reply.now_ms.saturating_sub(at_ms) >= OLD_MS => {
            let text = format!(
                "nodes examined up to {} ago; pool changes are reported at once",
                ago(at_ms, reply.now_ms)
            );
            hang(Line::new(), Ink::Dim, &text, screen)
        }
        _ => Vec::new(),
    }
}

pub(super) fn light(light: Light) -> Line {
    match light {
        Light::Green => Line::new().ink(Ink::Green, "GREEN"),
        Light::Amber => Line::new().ink(Ink::Amber, "AMBER"),
        Light::Red => Line::new().ink(Ink::Red, "RED"),
        Light::Unspecified => Line::of("?"),
    }
}

fn row(node: &NodeStatus, now_ms: u64) -> Vec<(Ink, String)> {
    let worth = |bad: bool| if bad { Ink::Amber } else { Ink::Plain };
    let healthy = node.pool == "ok";
    let pool = match node.pool.as_str() {
        "" => (Ink::Dim, "-".into()),
        "none" => (Ink::Amber, "none".into()),
        state => {
            let ink = if healthy { Ink::Green } else { Ink::Red };
            (ink, format!("{state} {}%", node.pool_percent))
        }
    };
    let disks = match node.legs {
        0 => (Ink::Dim, "-".into()),
        legs => (worth(node.legs_online < legs), format!("{}/{legs}", node.legs_online)),
    };
    let links = match node.links {
        0 => (Ink::Dim, "-".into()),
        links => (worth(node.links_up < links), format!("{}/{links}", node.links_up)),
    };
    let seen = if node.connected {
        (Ink::Plain, "now".into())
    } else {
        (Ink::Amber, ago(node.last_seen_ms, now_ms))
    };
    let snapshot = match (node.snapshot_wanted, node.newest_snapshot_ms) {
        (false, _) => (Ink::Dim, "-".into()),
        (true, newest_ms) => (worth(node.snapshot_overdue), ago(newest_ms, now_ms)),
    };
    let scrub = match node.scrub_percent {
        0 => (worth(node.scrub_overdue), ago(node.last_scrub_ms, now_ms)),
        percent => (Ink::Plain, format!("now {}%", percent - 1)),
    };
    vec![
        (Ink::Bold, node.node.clone()),
        pool,
        disks,
        snapshot,
        scrub,
        links,
        seen,
        (worth(node.config != "same"), node.config.clone()),
        plain(&node.task),
    ]
}
