use std::collections::HashSet;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, Light};
use heeler_store::{Applied, Node, NodeState, Pool, SeenAlarm, Task, TaskState};

use super::super::{Result, drift, nodes, spec, tasks, words};
use super::links::links_of;
use super::pool::{looked_at_ms, others_of, pool_of};
use super::schedule::Schedule;
use super::{alert, health};
use crate::config::WantedNode;
use crate::screen::{left, span};

/// A shorter absence is a restart, not an alarm.
const AWAY_MS: u64 = 3_000;

/// Older facts are an alert. They are asked for every 5 minutes, and a look at many disks takes long.
const UNLOOKED_MS: u64 = 2 * crate::planner::FACTS_LIFETIME_MS;

/// The word for a node whose pool on record is not managed any more.
const NOT_MANAGED: &str = "not managed";

/// Everything besides the node's own record that its light depends on.
pub(super) struct Look<'a> {
    /// The node's part of the accepted revision.
    pub(super) wanted: Option<&'a WantedNode>,
    /// Whether there is an accepted revision.
    pub(super) applied: bool,
    /// What the node matched last, by kind of task.
    pub(super) matched: Vec<Applied>,
    /// The last look at the accepted revision.
    pub(super) drift: Option<v1::Drift>,
    pub(super) pools: Vec<Pool>,
    /// Datasets that at least one node takes snapshots of.
    pub(super) scheduled: Option<&'a HashSet<String>>,
    /// Repairs by scrubs that a person has marked as seen; the subject is the pool's GUID.
    pub(super) repairs_seen: Vec<SeenAlarm>,
    /// Newest first.
    pub(super) tasks: Vec<Task>,
    pub(super) connected: bool,
    pub(super) pause: Option<v1::Pause>,
    pub(super) now_ms: u64,
}

/// The node's line of the status, and its alerts.
pub(super) fn look_at(
    node: &Node,
    facts: Option<&v1::Facts>,
    look: &Look<'_>,
) -> Result<(v1::NodeStatus, Vec<v1::Alert>)> {
    let pool = pool_of(node, look, facts);
    let (config, mut alerts) = (config(look), Vec::new());
    let links = links_of(look, facts);
    let schedule = Schedule::of(look, facts, pool.last_scrub_ms());
    alerts.extend(presence(node, look));
    let mut shown = pool.clone();
    if !node.state.is_shut_out() {
        alerts.extend(pool.alerts(node, look, facts));
        for other in others_of(&pool, node, look, facts) {
            let own = other.alerts(node, look, facts);
            // The line shows the pool that needs attention most.
            if light_of(&own) > light_of(&shown.alerts(node, look, facts)) {
                shown = other;
            }
            alerts.extend(own);
        }
        alerts.extend(
            facts
                .into_iter()
                .flat_map(|facts| health::unreadable(&node.name, facts)),
        );
        alerts.extend(facts.and_then(|facts| health::root(&node.name, facts)));
        alerts.extend(unlooked(node, look));
        alerts.extend(schedule.alerts(&node.name));
        alerts.extend(links.alert(node, look));
        alerts.extend(work(node, look, config)?);
        alerts.extend(held(node, look));
    }
    let light = light_of(&alerts);
    let task = look.tasks.iter().find(|task| !task.state.is_over());
    let status = v1::NodeStatus {
        node: node.name.clone(),
        light: light.into(),
        connected: look.connected,
        last_seen_ms: if look.connected { look.now_ms } else { node.last_seen_ms },
        pool_percent: shown.percent(),
        legs: shown.legs(),
        legs_online: shown.legs_online(),
        last_scrub_ms: schedule.last_scrub_ms,
        newest_snapshot_ms: schedule.newest_ms,
        snapshot_wanted: schedule.wanted,
        snapshot_overdue: schedule.snapshot_overdue,
        scrub_overdue: schedule.scrub_overdue,
        scrub_percent: schedule.scrub_percent,
        pool: shown.word(),
        pools_at_ms: looked_at_ms(node, facts),
        config: config.to_owned(),
        agent_version: node.agent_version.clone(),
        task: task.map(|task| task.kind.clone()).unwrap_or_default(),
        pause: look.pause.clone(),
        links: links.wanted,
        links_up: links.up,
    };
    Ok((status, alerts))
}

fn light_of(alerts: &[v1::Alert]) -> Light {
    alerts.iter().map(v1::Alert::light).max().unwrap_or(Light::Green)
}

fn presence(node: &Node, look: &Look<'_>) -> Option<v1::Alert> {
    let name = &node.name;
    match node.state {
        NodeState::Revoked | NodeState::Released => look.wanted.map(|_| {
            let (state, way) = (words::node_state(node.state).word(), nodes::way_back(node));
            let next = format!("delete the lines of {name} from heeler.toml; or, to take {name} back: {way}");
            alert(Light::Amber, name, format!("{state}, but still in heeler.toml"), next)
        }),
        NodeState::New => {
            let next = format!("heeler node add {name}");
            Some(alert(Light::Amber, name, "first contact is not finished", next))
        }
        NodeState::Enrolled if look.connected => None,
        NodeState::Enrolled => {
            let away_ms = look.now_ms.abs_diff(node.last_seen_ms);
            // A time in the future was stored while the clock was ahead.
            let text = match node.last_seen_ms > look.now_ms {
                true => "offline, since when is not known: the coordinator's clock went back".to_owned(),
                false => format!("offline for {}", span(away_ms)),
            };
            (away_ms >= AWAY_MS).then(|| alert(Light::Amber, name, text, format!("heeler node show {name}")))
        }
    }
}

/// The alert about a connected node whose facts are old.
fn unlooked(node: &Node, look: &Look<'_>) -> Option<v1::Alert> {
    let age_ms = look.now_ms.saturating_sub(node.facts_at_ms);
    let idle = look.tasks.iter().all(|task| task.state.is_over());
    let old = look.connected && idle && node.facts_at_ms > 0 && age_ms > UNLOOKED_MS;
    old.then(|| {
        let text = format!("last examined {} ago: the node does not answer", span(age_ms));
        alert(
            Light::Amber,
            &node.name,
            text,
            format!("heeler node discover {}", node.name),
        )
    })
}

/// The alert about a pause, which is easily forgotten.
fn held(node: &Node, look: &Look<'_>) -> Option<v1::Alert> {
    let pause = look.pause.as_ref()?;
    let mut text = format!("paused by {}", pause.operator);
    if !pause.reason.is_empty() {
        text = format!("{text}: {}", pause.reason);
    }
    if pause.until_ms > 0 {
        text = format!("{text}; {} more", left(look.now_ms, pause.until_ms));
    }
    let next = match pause.on_node {
        true => format!("on {}: sudo heeler-agent resume", node.name),
        false => format!("heeler node resume {}", node.name),
    };
    Some(alert(Light::Amber, &node.name, text, next))
}

/// The alert about configuration that is not applied: how the last task ended, or that there was none.
fn work(node: &Node, look: &Look<'_>, config: &str) -> Result<Option<v1::Alert>> {
    if config == "same" || look.tasks.iter().any(|task| !task.state.is_over()) {
        return Ok(None);
    }
    let name = &node.name;
    let amber = |text: String, next: &str| alert(Light::Amber, name, text, format!("heeler {next}"));
    let plan = format!("plan {name}");
    if let Some(text) = by_hand(look).filter(|_| config == "by hand") {
        return Ok(Some(amber(text, &plan)));
    }
    for kind in open_kinds(look) {
        if let Some(task) = look.tasks.iter().find(|task| task.kind == kind)
            && let Some(alert) = ended(name, task.clone())?
        {
            return Ok(Some(alert));
        }
    }
    Ok(match config {
        NOT_MANAGED => look
            .wanted
            .and_then(|wanted| spec::unmanaged_pool(&look.pools, wanted))
            .map(|pool| {
                let pool = &pool.name;
                let why = "is on record, but heeler.toml names no disks for it: Heeler does not check it";
                amber(format!("pool {pool} {why}"), &plan)
            }),
        "not in heeler.toml" => Some(amber(config.to_owned(), &format!("node show {name}"))),
        // Without an accepted heeler.toml no node can be green.
        _ if !look.applied && node.state == NodeState::Enrolled => {
            let text = "nothing was applied yet: no pool is created, no snapshot is taken";
            Some(amber(text.to_owned(), "plan"))
        }
        _ if look.wanted.is_none() => None,
        _ => Some(amber("not yet applied".to_owned(), &plan)),
    })
}

fn ended(node: &str, task: Task) -> Result<Option<v1::Alert>> {
    let (state, info) = (task.state, tasks::info(task)?);
    let show = format!("heeler task show {}", info.task_id);
    let why = |how: &str| format!("{}{how}: {}", info.kind, info.reason);
    Ok(match (state, &info.blocked) {
        (TaskState::Blocked, Some(blocked)) => {
            let text = format!("{} is blocked: {}", info.kind, blocked.found);
            let next = match blocked.advice("") {
                advice if advice.is_empty() => show,
                advice => advice,
            };
            Some(alert(Light::Amber, node, text, next))
        }
        (TaskState::Blocked | TaskState::Refused, _) => Some(alert(Light::Amber, node, why(""), show)),
        (TaskState::Failed, _) => Some(alert(Light::Red, node, why(" failed"), show)),
        (TaskState::Queued | TaskState::Sent | TaskState::Running | TaskState::Done, _) => None,
    })
}

/// What was changed on a node after it matched the accepted revision. None when nothing was, or when the look is
/// older than the match.
fn by_hand(look: &Look<'_>) -> Option<String> {
    let drift = look.drift.as_ref()?;
    let mut steps = drift::differing(&drift.steps);
    let first = drift::what(steps.next()?);
    Some(match steps.count() {
        0 => format!("differs from heeler.toml: {first}"),
        more => format!("differs from heeler.toml: {first}; and {more} more"),
    })
}

fn config(look: &Look<'_>) -> &'static str {
    let tried = |kind: &&str| look.tasks.iter().any(|task| task.kind == *kind);
    let (digests, open) = (look.wanted.map(spec::digests).unwrap_or_default(), open_kinds(look));
    match look.wanted {
        None if look.applied => "not in heeler.toml",
        None => "never applied",
        Some(wanted) if open.is_empty() && spec::unmanaged_pool(&look.pools, wanted).is_some() => NOT_MANAGED,
        Some(_) if open.is_empty() && by_hand(look).is_some() => "by hand",
        Some(_) if open.is_empty() => "same",
        Some(_) if open.len() == digests.len() && !open.iter().any(tried) => "never applied",
        Some(_) => "pending",
    }
}

/// Kinds of task whose wanted state the node is not known to match.
fn open_kinds(look: &Look<'_>) -> Vec<&'static str> {
    let digests = look.wanted.map(spec::digests).unwrap_or_default();
    let open = digests.into_iter().filter(|(kind, sha256)| {
        let fits = |matched: &Applied| matched.kind == *kind && matched.sha256 == *sha256;
        !look.matched.iter().any(fits)
    });
    open.map(|(kind, _)| kind).collect()
}
