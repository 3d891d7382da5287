use heeler_proto::v1::{self, Light};
use heeler_store::{Node, NodeState, Pool, Task, TaskState};

use super::super::{AppError, ledger, spec, tasks};
use super::alert;
use crate::config::WantedNode;

/// A shorter absence is a restart, not an alarm.
const AWAY_MS: u64 = 15_000;

/// All that a node's light depends on, besides the node itself.
pub(super) struct Look<'a> {
    /// In the accepted revision.
    pub(super) wanted: Option<&'a WantedNode>,
    /// There is an accepted revision.
    pub(super) applied: bool,
    pub(super) pools: Vec<Pool>,
    pub(super) last_task: Option<Task>,
    pub(super) connected: bool,
    pub(super) now_ms: u64,
}

/// A node's line, and what is wrong with it.
pub(super) fn look_at(node: &Node, look: &Look<'_>) -> Result<(v1::NodeStatus, Vec<v1::Alert>), AppError> {
    let facts = ledger::facts_of(node)?;
    let pool = pool_of(node, look, facts.as_ref());
    let mut alerts = Vec::new();
    alerts.extend(presence(node, look));
    alerts.extend(pool.alert(node));
    alerts.extend(last_task(node, look)?);
    let config = config(node, look);
    if config == "pending" {
        alerts.push(alert(Light::Amber, &node.name, "not as heeler.toml says", || {
            format!("heeler plan {}", node.name)
        }));
    }
    let light = alerts.iter().map(v1::Alert::light).max().unwrap_or(Light::Green);
    let task = look.last_task.as_ref().filter(|task| !task.state.is_over());
    let status = v1::NodeStatus {
        node: node.name.clone(),
        light: light.into(),
        connected: look.connected,
        last_seen_ms: if look.connected { look.now_ms } else { node.last_seen_ms },
        pool_percent: pool.percent(),
        legs: pool.legs(),
        legs_online: pool.legs_online(),
        last_scrub_ms: pool.last_scrub_ms(),
        pool: pool.word(),
        config: config.to_owned(),
        agent_version: node.agent_version.clone(),
        task: task.map(|task| task.kind.clone()).unwrap_or_default(),
    };
    Ok((status, alerts))
}

fn presence(node: &Node, look: &Look<'_>) -> Option<v1::Alert> {
    let name = &node.name;
    match node.state {
        NodeState::Revoked => None,
        NodeState::New => Some(alert(
            Light::Amber,
            name,
            "first contact was begun and not finished",
            || format!("heeler node add {name}"),
        )),
        NodeState::Enrolled if look.connected => None,
        NodeState::Enrolled => {
            let away_ms = look.now_ms.saturating_sub(node.last_seen_ms);
            (away_ms >= AWAY_MS).then(|| {
                alert(Light::Amber, name, format!("offline for {}", duration(away_ms)), || {
                    format!("heeler node show {name}")
                })
            })
        }
    }
}

fn duration(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

fn last_task(node: &Node, look: &Look<'_>) -> Result<Option<v1::Alert>, AppError> {
    let Some(task) = look.last_task.clone() else {
        return Ok(None);
    };
    let (state, info) = (task.state, tasks::info(task)?);
    let show = || format!("heeler task show {}", info.task_id);
    Ok(match (state, &info.blocked) {
        (TaskState::Blocked, Some(blocked)) => {
            let text = format!("{} is blocked: {}", info.kind, blocked.found);
            let next = if blocked.next.is_empty() {
                show()
            } else {
                blocked.next.clone()
            };
            Some(alert(Light::Amber, &node.name, text, || next))
        }
        (TaskState::Blocked | TaskState::Refused, _) => Some(alert(
            Light::Amber,
            &node.name,
            format!("{}: {}", info.kind, info.reason),
            show,
        )),
        (TaskState::Failed, _) => Some(alert(
            Light::Red,
            &node.name,
            format!("{} failed: {}", info.kind, info.reason),
            show,
        )),
        (TaskState::Queued | TaskState::Sent | TaskState::Running | TaskState::Done, _) => None,
    })
}

fn config(node: &Node, look: &Look<'_>) -> &'static str {
    match (look.wanted, &node.applied_sha256) {
        (None, _) if look.applied => "not in heeler.toml",
        (None, _) => "never applied",
        (Some(wanted), _) if wanted.disks.is_empty() => "same",
        (Some(wanted), Some(applied)) if *applied == spec::digest_wanted(wanted) => "same",
        (Some(_), Some(_)) => "pending",
        (Some(_), None) => "never applied",
    }
}

/// The pool that is on record or wanted.
enum PoolLook {
    /// None is.
    None,
    /// It was not looked at yet.
    Unknown,
    /// On record, and not imported.
    Gone(String),
    Seen(v1::Pool),
}

fn pool_of(node: &Node, look: &Look<'_>, facts: Option<&v1::Facts>) -> PoolLook {
    let recorded = look.pools.iter().find(|pool| pool.ours);
    let wanted = look
        .wanted
        .filter(|wanted| !wanted.disks.is_empty())
        .map(|wanted| wanted.pool.as_str());
    let Some(facts) = facts else {
        return if recorded.is_some() {
            PoolLook::Unknown
        } else {
            PoolLook::None
        };
    };
    let seen = match recorded {
        Some(recorded) => facts.pools.iter().find(|pool| pool.guid == recorded.guid),
        None => facts.pools.iter().find(|pool| wanted == Some(pool.name.as_str())),
    };
    match (seen, recorded) {
        (Some(seen), _) => PoolLook::Seen(seen.clone()),
        // Recorded by a task that ended after the node was looked at.
        (None, Some(recorded)) if recorded.seen_at_ms > node.facts_at_ms => PoolLook::Unknown,
        (None, Some(recorded)) => PoolLook::Gone(recorded.name.clone()),
        (None, None) => PoolLook::None,
    }
}

impl PoolLook {
    fn seen(&self) -> Option<&v1::Pool> {
        match self {
            Self::Seen(pool) => Some(pool),
            Self::None | Self::Unknown | Self::Gone(_) => None,
        }
    }

    fn word(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Gone(_) => "gone".to_owned(),
            Self::Seen(pool) if pool.state == "ONLINE" => "ok".to_owned(),
            Self::Seen(pool) => pool.state.clone(),
        }
    }

    fn percent(&self) -> u32 {
        let share = |pool: &v1::Pool| pool.allocated_bytes.saturating_mul(100).checked_div(pool.size_bytes);
        self.seen()
            .and_then(share)
            .and_then(|percent| u32::try_from(percent).ok())
            .unwrap_or(0)
    }

    fn legs(&self) -> u32 {
        self.seen()
            .map_or(0, |pool| u32::try_from(pool.legs.len()).unwrap_or(u32::MAX))
    }

    fn legs_online(&self) -> u32 {
        let online = |pool: &v1::Pool| pool.legs.iter().filter(|leg| leg.state == "ONLINE").count();
        self.seen()
            .map_or(0, |pool| u32::try_from(online(pool)).unwrap_or(u32::MAX))
    }

    fn last_scrub_ms(&self) -> u64 {
        let scrubbed = self
            .seen()
            .filter(|pool| pool.scan_function == "SCRUB" && pool.scan_state == "FINISHED");
        scrubbed.map_or(0, |pool| pool.scan_end_ms)
    }

    fn alert(&self, node: &Node) -> Option<v1::Alert> {
        let name = &node.name;
        let (text, next) = match self {
            Self::None | Self::Unknown => return None,
            Self::Gone(pool) => (
                format!("pool {pool} is on record and not imported"),
                format!("heeler plan {name}"),
            ),
            Self::Seen(pool) if pool.state == "ONLINE" && pool.errors > 0 => (
                format!("pool {} has {} data errors", pool.name, pool.errors),
                format!("heeler node show {name}"),
            ),
            Self::Seen(pool) if pool.state == "ONLINE" => return None,
            Self::Seen(pool) => (weak(pool), format!("heeler disk list {name}")),
        };
        Some(alert(Light::Red, name, text, || next))
    }
}

fn weak(pool: &v1::Pool) -> String {
    let down: Vec<_> = pool.legs.iter().filter(|leg| leg.state != "ONLINE").collect();
    let name = |leg: &v1::Leg| {
        if leg.serial.is_empty() {
            leg.path.clone()
        } else {
            leg.serial.clone()
        }
    };
    let down: Vec<_> = down
        .into_iter()
        .map(|leg| format!("{} is {}", name(leg), leg.state))
        .collect();
    let up: Vec<_> = pool.legs.iter().filter(|leg| leg.state == "ONLINE").map(name).collect();
    let keep = if up.is_empty() {
        String::new()
    } else {
        format!(". Do NOT pull {}", up.join(", "))
    };
    format!("pool {} is {}: {}{keep}", pool.name, pool.state, down.join(", "))
}
