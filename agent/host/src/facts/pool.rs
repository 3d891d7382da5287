use serde::{Deserialize, Serialize};

use crate::disk::Surroundings;
use crate::side_by_side::side_by_side;
use crate::zpool::{self, PoolStatus, Unreadable, Vdev};
use crate::{RunError, System, zfs};

/// An imported pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolFact {
    /// The pool's name, such as `data`.
    pub name: String,
    /// The pool's guid, as `zpool status -g` shows it.
    pub guid: u64,
    /// ZFS's state of the pool: ONLINE, DEGRADED, FAULTED, SUSPENDED…
    pub state: String,
    /// The pool property `size` in bytes.
    pub size_bytes: u64,
    /// The pool property `allocated` in bytes.
    pub allocated_bytes: u64,
    /// Data errors that ZFS could not repair.
    pub errors: u64,
    /// NONE, SCRUB or RESILVER.
    pub scan_function: String,
    /// SCANNING, FINISHED or CANCELED; empty when there was no scan.
    pub scan_state: String,
    /// When the last scan ended, Unix milliseconds; 0 when none did.
    pub scan_end_ms: u64,
    /// Leaf vdevs of all classes.
    pub legs: Vec<Vdev>,
    /// The pool property `comment`, which names its owner; empty when not set.
    pub comment: String,
    /// The `status` message of `zpool status`; empty when nothing is wrong.
    pub status: String,
    /// Bytes that datasets can still write (`available` of the root dataset); 0 also when unknown.
    pub available_bytes: u64,
    /// Whether it is imported with `readonly=on`.
    pub readonly: bool,
    /// When the scan began, Unix milliseconds; 0 when there was none.
    pub scan_start_ms: u64,
    /// Bytes that the running or last scan repaired.
    pub repaired_bytes: u64,
    /// Errors that the scan could not repair.
    pub scan_errors: u64,
}

/// All imported pools.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolFacts {
    /// The pools whose status could be read.
    pub read: Vec<PoolFact>,
    /// The pools whose status could not be read, with the reason.
    pub unreadable: Vec<Unreadable>,
}

/// All imported pools; none when ZFS cannot be asked ([`crate::zfs::module`] says whether). One that cannot be read
/// does not affect the others.
pub async fn pools(host: &dyn System, around: &Surroundings) -> PoolFacts {
    let mut facts = PoolFacts {
        unreadable: around.unreadable.clone(),
        ..PoolFacts::default()
    };
    let pools = || around.imported.iter().flatten();
    let looked = side_by_side(pools().map(|pool| fact(host, pool, around))).await;
    for (pool, looked) in pools().zip(looked) {
        match looked {
            Ok(fact) => facts.read.push(fact),
            Err(error) => facts.unreadable.push(Unreadable {
                name: pool.name.clone(),
                guid: pool.guid,
                reason: error.to_string(),
            }),
        }
    }
    facts
}

/// Like [`pools`], without checking any disk: quick. Fails when a program that every machine needs fails.
pub async fn pools_alone(host: &dyn System) -> Result<PoolFacts, RunError> {
    Ok(pools(host, &Surroundings::of_pools(host).await?).await)
}

async fn fact(host: &dyn System, pool: &PoolStatus, around: &Surroundings) -> Result<PoolFact, RunError> {
    let properties = zpool::properties(host, &pool.name).await?;
    let number = |name: &str| properties.get(name).and_then(|value| value.parse().ok());
    let comment = properties.get("comment").filter(|comment| *comment != "-");
    // Without this number the pool still counts as readable.
    let available = zfs::property(host, "available", &pool.name).await.ok().flatten();
    let scan = pool.scan.as_ref();
    let ms = |seconds: u64| seconds.saturating_mul(1000);
    let leg = |leg: &Vdev| Vdev {
        serial: around.serial_of(pool.guid, leg.guid).unwrap_or_default().to_owned(),
        ..leg.clone()
    };
    Ok(PoolFact {
        name: pool.name.clone(),
        guid: pool.guid,
        state: pool.state.clone(),
        size_bytes: number("size").unwrap_or(pool.size_bytes),
        allocated_bytes: number("allocated").unwrap_or(pool.allocated_bytes),
        errors: pool.errors,
        scan_function: scan.map_or_else(|| "NONE".to_owned(), |scan| scan.function.clone()),
        scan_state: scan.map_or_else(String::new, |scan| scan.state.clone()),
        scan_start_ms: scan.map_or(0, |scan| ms(scan.start_s)),
        scan_end_ms: scan.map_or(0, |scan| ms(scan.end_s)),
        repaired_bytes: scan.map_or(0, |scan| scan.repaired_bytes),
        scan_errors: scan.map_or(0, |scan| scan.errors),
        legs: pool.legs.iter().map(leg).collect(),
        comment: comment.cloned().unwrap_or_default(),
        status: pool.status.clone(),
        available_bytes: available
            .and_then(|available| available.value.parse().ok())
            .unwrap_or(0),
        readonly: properties.get("readonly").is_some_and(|value| value == "on"),
    })
}
