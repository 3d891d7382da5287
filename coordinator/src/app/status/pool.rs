use heeler_proto::v1::{self, Light};
use heeler_store::Node;

use super::alert;
use super::node::Look;

/// The word for a pool that can be used, and holds files that cannot be read.
pub(super) const ERRORS: &str = "ERRORS";

/// The pool that is on record or wanted.
pub(super) enum PoolLook {
    /// None is.
    None,
    /// It was not looked at yet.
    Unknown,
    /// On record, and not imported.
    Gone(String),
    Seen(Box<v1::Pool>),
}

/// What `facts` say of the pool that is on record, else of the one that is wanted.
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
    let seen = match recorded {
        Some(recorded) => facts.pools.iter().find(|pool| pool.guid == recorded.guid),
        None => facts.pools.iter().find(|pool| wanted == Some(pool.name.as_str())),
    };
    match (seen, recorded) {
        (Some(seen), _) => PoolLook::Seen(Box::new(seen.clone())),
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
        let share = |pool: &v1::Pool| pool.allocated_bytes.saturating_mul(100).checked_div(pool.size_bytes);
        self.seen()
            .and_then(share)
            .and_then(|percent| u32::try_from(percent).ok())
            .unwrap_or(0)
    }

    pub(super) fn legs(&self) -> u32 {
        self.seen()
            .map_or(0, |pool| u32::try_from(pool.legs.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn legs_online(&self) -> u32 {
        let online = |pool: &v1::Pool| pool.legs.iter().filter(|leg| leg.state == "ONLINE").count();
        self.seen()
            .map_or(0, |pool| u32::try_from(online(pool)).unwrap_or(u32::MAX))
    }

    pub(super) fn last_scrub_ms(&self) -> u64 {
        let scrubbed = self
            .seen()
            .filter(|pool| pool.scan_function == "SCRUB" && pool.scan_state == "FINISHED");
        scrubbed.map_or(0, |pool| pool.scan_end_ms)
    }

    pub(super) fn alert(&self, node: &Node) -> Option<v1::Alert> {
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
    let errors = match pool.errors {
        0 => String::new(),
        errors => format!(" with {errors} data errors"),
    };
    format!(
        "pool {} is {}{errors}: {}{keep}",
        pool.name,
        pool.state,
        down.join(", ")
    )
}
