use heeler_proto::v1::{self, Light};
use heeler_store::{Node, Pool, SeenAlarm};

use super::super::pool_change::{MOST_POOLS, works};
use super::node::Look;
use super::{alert, health};
use crate::screen::span;

/// The word for a pool that works but has files that cannot be read.
pub(super) const ERRORS: &str = "ERRORS";

/// A node's pool on record, else the one that heeler.toml asks for.
#[derive(Clone)]
pub(super) enum PoolLook {
    /// Neither on record nor seen.
    None,
    /// The node has not been looked at since, or could not read the pool.
    Unknown,
    /// On record but not imported; holds the pool's name.
    Gone(String),
    Seen(Box<v1::Pool>),
}

/// The pool on record, else the one that heeler.toml asks for, as `facts` show it.
pub(super) fn pool_of(node: &Node, look: &Look<'_>, facts: Option<&v1::Facts>) -> PoolLook {
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
    let named = || facts.pools.iter().find(|pool| wanted == Some(pool.name.as_str()));
    match (recorded, named()) {
        (Some(recorded), _) => of_record(recorded, node, facts),
        (None, Some(seen)) => PoolLook::Seen(Box::new(seen.clone())),
        (None, None) => PoolLook::None,
    }
}

fn of_record(recorded: &Pool, node: &Node, facts: &v1::Facts) -> PoolLook {
    match facts.pools.iter().find(|pool| pool.guid == recorded.guid) {
        Some(seen) => PoolLook::Seen(Box::new(seen.clone())),
        // A task that ended after the last look recorded it.
        None if recorded.seen_at_ms > looked_at_ms(node, Some(facts)) => PoolLook::Unknown,
        // The agent could not read the pool.
        None if facts.unreadable_pools.iter().any(|pool| pool.name == recorded.name) => PoolLook::Unknown,
        None => PoolLook::Gone(recorded.name.clone()),
    }
}

/// All pools but `main`: other ones on record that are not imported, and every imported one, ours or not. Bounded like
/// the events about pools, so that a fault whose alarm counts as seen is always shown.
pub(super) fn others_of(main: &PoolLook, node: &Node, look: &Look<'_>, facts: Option<&v1::Facts>) -> Vec<PoolLook> {
    let Some(facts) = facts else { return Vec::new() };
    let main = main.seen().map(|pool| pool.guid.as_str());
    let recorded = look.pools.iter().filter(|pool| pool.ours).skip(1);
    let gone = recorded.map(|recorded| of_record(recorded, node, facts));
    let gone = gone.filter(|look| matches!(look, PoolLook::Gone(_))).take(MOST_POOLS);
    let imported = facts.pools.iter().take(MOST_POOLS);
    let imported = imported.filter(|pool| main != Some(pool.guid.as_str()));
    gone.chain(imported.map(|pool| PoolLook::Seen(Box::new(pool.clone()))))
        .collect()
}

impl PoolLook {
    fn seen(&self) -> Option<&v1::Pool> {
        match self {
            Self::Seen(pool) => Some(pool),
            Self::None | Self::Unknown | Self::Gone(_) => None,
        }
    }

    pub(super) fn word(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Gone(_) => "gone".to_owned(),
            Self::Seen(pool) if pool.errors > 0 && ["ONLINE", "DEGRADED"].contains(&pool.state.as_str()) => {
                ERRORS.to_owned()
            }
            Self::Seen(pool) if pool.state == "ONLINE" => "ok".to_owned(),
            Self::Seen(pool) => pool.state.clone(),
        }
    }

    pub(super) fn percent(&self) -> u32 {
        let share = |pool: &v1::Pool| health::percent(pool.allocated_bytes, pool.size_bytes);
        self.seen()
            .map_or(0, |pool| u32::try_from(share(pool)).unwrap_or(u32::MAX))
    }

    fn data_legs(&self) -> impl Iterator<Item = &v1::Leg> {
        self.seen()
            .into_iter()
            .flat_map(|pool| &pool.legs)
            .filter(|leg| health::holds_data(leg))
    }

    pub(super) fn legs(&self) -> u32 {
        u32::try_from(self.data_legs().count()).unwrap_or(u32::MAX)
    }

    pub(super) fn legs_online(&self) -> u32 {
        let online = self.data_legs().filter(|leg| works(leg));
        u32::try_from(online.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn last_scrub_ms(&self) -> u64 {
        let scrubbed = self
            .seen()
            .filter(|pool| pool.scan_function == "SCRUB" && pool.scan_state == "FINISHED");
        scrubbed.map_or(0, |pool| pool.scan_end_ms)
    }

    /// Everything about the pool that needs attention.
    pub(super) fn alerts(&self, node: &Node, look: &Look<'_>, facts: Option<&v1::Facts>) -> Vec<v1::Alert> {
        let (name, seen_ms) = (&node.name, look.now_ms.saturating_sub(looked_at_ms(node, facts)));
        match self {
            Self::None | Self::Unknown => Vec::new(),
            Self::Gone(pool) => {
                let mut text = format!("pool {pool} is on record, but not imported");
                if seen_ms >= health::OLD_MS {
                    text = format!("{text} (as it was {} ago)", span(seen_ms));
                }
                vec![alert(Light::Red, name, text, format!("heeler plan {name}"))]
            }
            Self::Seen(pool) => {
                // A pool that was away may come back with a repair that nobody has seen.
                let covers = |seen: &SeenAlarm| seen.subject == pool.guid && seen.at_ms >= pool.scan_end_seen_ms;
                let acknowledged = look.repairs_seen.iter().any(covers);
                health::alerts(name, pool, seen_ms, acknowledged)
            }
        }
    }
}

/// When the pools were last looked at, Unix milliseconds.
pub(super) fn looked_at_ms(node: &Node, facts: Option<&v1::Facts>) -> u64 {
    let pools_at_ms = facts.map_or(0, |facts| facts.pools_at_ms);
    pools_at_ms.max(node.facts_at_ms)
}
