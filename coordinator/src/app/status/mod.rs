mod alarms;
mod answer;
mod fitting;
mod health;
mod links;
mod node;
mod pool;
mod schedule;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::{HashMap, HashSet};

use heeler_proto::Word as _;
use heeler_proto::v1::{self, AlarmKind, Light};

use super::{App, Result, drift, ledger, pause, pool_change, revision};
use crate::config::WantedNode;
pub(super) use answer::Answers;
use node::{Look, look_at};

/// How long an unseen alarm is shown.
const ALARMED_MS: u64 = 24 * 60 * 60 * 1000;
/// Newest tasks of a node that the status reads.
const RECENT: u32 = 20;

impl App {
    async fn look_at_all(
        &self,
        now_ms: u64,
        trouble: Option<String>,
        finding: Option<String>,
    ) -> Result<v1::StatusReply> {
        let mut tx = self.store.read().await?;
        let accepted = tx.accepted().await?;
        let wanted = revision::wanted(accepted.as_ref());
        let (mut nodes, mut alerts) = (Vec::new(), Vec::new());
        // One query for all nodes, not one for each.
        let mut matched = by_node(tx.all_applied().await?.into_iter());
        let mut pools = by_node(tx.pools().await?.into_iter().map(|pool| (pool.node.clone(), pool)));
        let held = pools.values().flatten().any(|pool| pool.ours);
        let repairs = tx
            .seen_alarms(AlarmKind::PoolRepaired.word(), pool_change::BY_STATUS)
            .await?;
        let mut repairs = by_node(repairs.into_iter().map(|seen| (seen.node.clone(), seen)));
        let recent = tx.recent_tasks(RECENT).await?.into_iter();
        let mut tasks = by_node(recent.map(|task| (task.node.clone(), task)));
        let mut pauses = pause::all(&mut tx, now_ms).await?;
        let revision = accepted.as_ref().map_or(0, |accepted| accepted.number);
        let mut drifts = drift::all(&mut tx, revision).await?;
        let known = tx.nodes().await?;
        let scheduled = scheduled(&known)?;
        let by_name: HashMap<&str, &WantedNode> = wanted.iter().map(|node| (node.name.as_str(), node)).collect();
        for node in &known {
            // Of one node at a time, because the facts of a large fleet are large.
            let facts = ledger::facts_of(node)?;
            let paused = facts.as_ref().and_then(|facts| facts.paused.clone());
            let look = Look {
                wanted: by_name.get(node.name.as_str()).copied(),
                applied: accepted.is_some(),
                matched: matched.remove(&node.name).unwrap_or_default(),
                pools: pools.remove(&node.name).unwrap_or_default(),
                scheduled: Some(&scheduled),
                repairs_seen: repairs.remove(&node.name).unwrap_or_default(),
                tasks: tasks.remove(&node.name).unwrap_or_default(),
                drift: drifts.remove(&node.name),
                connected: self.sessions.of(&super::node_name(&node.name)?).is_some(),
                pause: pauses.remove(&node.name).or(pause::in_force(paused, now_ms)),
                now_ms,
            };
            let (status, own) = look_at(node, facts.as_ref(), &look)?;
            nodes.push(status);
            alerts.extend(own);
        }
        let names: HashSet<&str> = known.iter().map(|node| node.name.as_str()).collect();
        for missing in wanted.iter().filter(|wanted| !names.contains(wanted.name.as_str())) {
            let name = missing.name.as_str();
            let next = format!(
                "heeler node add {name}; or, if this machine is gone, delete its lines from heeler.toml, then: heeler apply"
            );
            alerts.push(alert(Light::Amber, name, "in heeler.toml, but not added", next));
        }
        let alarms = tx.alarms_since(now_ms.saturating_sub(ALARMED_MS)).await?;
        alerts.extend(alarms::alerts(&alarms, now_ms));
        alerts.extend(self.upkeep(&mut tx, &names, held, now_ms).await?);
        if let Some(text) = trouble {
            let state = self.state.path().display();
            let next = format!("free space on the disk of {state}; until then the nodes store their events");
            alerts.push(alert(Light::Red, "", text, next));
        }
        if let Some(text) = finding {
            alerts.push(alert(Light::Red, "", text, "heeler audit verify"));
        }
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.light));
        let alerts = fitting::fitting(alerts, nodes.len());
        let light = alerts.first().map_or(Light::Green, v1::Alert::light);
        Ok(v1::StatusReply {
            light: light.into(),
            summary: summary(&nodes, &alerts),
            next: next(&nodes, &alerts, accepted.is_some()),
            nodes,
            alerts,
            now_ms,
            revision: accepted.map_or(0, |accepted| accepted.number),
        })
    }
}

/// Datasets that at least one node takes snapshots of.
fn scheduled(nodes: &[heeler_store::Node]) -> Result<HashSet<String>> {
    let mut all = HashSet::new();
    for node in nodes {
        let schedule = ledger::facts_of(node)?.and_then(|facts| facts.schedule);
        let stands = schedule.map(|schedule| schedule.stands).unwrap_or_default();
        all.extend(stands.into_iter().map(|stand| stand.dataset));
    }
    Ok(all)
}

fn by_node<T>(rows: impl Iterator<Item = (String, T)>) -> HashMap<String, Vec<T>> {
    let mut all: HashMap<String, Vec<T>> = HashMap::new();
    rows.for_each(|(node, row)| all.entry(node).or_default().push(row));
    all
}

fn alert(light: Light, node: &str, text: impl Into<String>, next: impl Into<String>) -> v1::Alert {
    v1::Alert {
        light: light.into(),
        node: node.to_owned(),
        text: text.into(),
        next: next.into(),
        ..v1::Alert::default()
    }
}

/// One sentence: the worst problem first, and whether data is at risk.
fn summary(nodes: &[v1::NodeStatus], alerts: &[v1::Alert]) -> String {
    let weak = nodes
        .iter()
        .filter(|node| !matches!(node.pool.as_str(), "ok" | "none" | "unknown" | pool::ERRORS))
        // A pool that lost only its log or cache still has all its data legs.
        .filter(|node| node.pool != "DEGRADED" || node.legs_online < node.legs)
        .count();
    let damaged = nodes.iter().filter(|node| node.pool == pool::ERRORS).count();
    let lost = nodes
        .iter()
        .filter(|node| ["FAULTED", "SUSPENDED", "UNAVAIL", "gone"].contains(&node.pool.as_str()))
        .count();
    let plural = |count: usize, one: &str, many: &str| {
        if count == 1 {
            format!("1 {one}")
        } else {
            format!("{count} {many}")
        }
    };
    // A node whose pool was not seen allows no statement about its data.
    let unseen = nodes
        .iter()
        .filter(|node| node.pool != "none" && !node.connected)
        .count();
    let data = match unseen {
        0 => "No data lost.".to_owned(),
        1 => "1 node is offline: the state of its data is unknown.".to_owned(),
        _ => format!("{unseen} nodes are offline: the state of their data is unknown."),
    };
    match (nodes.len(), alerts.len()) {
        (0, _) => "no nodes yet".to_owned(),
        _ if lost > 0 => format!("{} cannot be used.", plural(lost, "pool", "pools")),
        _ if damaged > 0 => format!("{} data errors.", plural(damaged, "pool has", "pools have")),
        _ if weak > 0 => format!("{} no redundancy. {data}", plural(weak, "pool has", "pools have")),
        (all, 0) => format!("{}, all is well.", plural(all, "node", "nodes")),
        (_, count) => format!("{} attention. {data}", plural(count, "thing needs", "things need")),
    }
}

fn next(nodes: &[v1::NodeStatus], alerts: &[v1::Alert], applied: bool) -> String {
    let urgent = alerts
        .iter()
        .find(|alert| !alert.next.is_empty())
        .map(|alert| alert.next.clone());
    urgent.unwrap_or_else(|| match (nodes.is_empty(), applied) {
        (true, _) => "heeler node add NAME --ssh USER@HOST".to_owned(),
        (false, false) => "heeler plan".to_owned(),
        (false, true) => String::new(),
    })
}
