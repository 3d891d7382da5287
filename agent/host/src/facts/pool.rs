use serde::{Deserialize, Serialize};

use crate::disk::Surroundings;
use crate::side_by_side::side_by_side;
use crate::zpool::{self, Class, PoolStatus, Unreadable, Vdev};
use crate::{RunError, System, zfs};

/// An imported pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolFact {
    /// As `zpool list` shows it, such as `data`.
    pub name: String,
    /// The guid that ZFS gave it, as `zpool status -g` shows it.
    pub guid: u64,
    /// ONLINE, DEGRADED, FAULTED, SUSPENDED…
    pub state: String,
    /// Bytes, of the whole device.
    pub size_bytes: u64,
    /// Bytes in use.
    pub allocated_bytes: u64,
    /// Data errors that could not be repaired.
    pub errors: u64,
    /// NONE, SCRUB or RESILVER.
    pub scan_function: String,
    /// SCANNING, FINISHED, CANCELED; empty when there was no scan.
    pub scan_state: String,
    /// When the last scan ended, Unix milliseconds; 0 when none did.
    pub scan_end_ms: u64,
    /// Leaf vdevs.
    pub legs: Vec<LegFact>,
    /// The pool's comment: whose it is.
    pub comment: String,
    /// ZFS's own words about what is wrong; empty when nothing is.
    pub status: String,
    /// That datasets can still write; 0 also when it could not be asked.
    pub available_bytes: u64,
    /// Imported with `readonly=on`.
    pub readonly: bool,
    /// When the scan began, Unix milliseconds; 0 when there was none.
    pub scan_start_ms: u64,
    /// By the scan in hand, or the last one.
    pub repaired_bytes: u64,
    /// That the scan could not repair.
    pub scan_errors: u64,
}

/// A leaf vdev.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LegFact {
    /// Of the disk that it is proven to be on; empty when there is no proof, or no such disk.
    pub serial: String,
    /// The guid that ZFS gave it, as `zpool status -g` shows it.
    pub guid: u64,
    /// ONLINE, OFFLINE, FAULTED, UNAVAIL, REMOVED…
    pub state: String,
    /// Counted by ZFS since the last clear.
    pub read_errors: u64,
    /// Failed writes since the last `zpool clear`.
    pub write_errors: u64,
    /// Checksum errors since the last `zpool clear`.
    pub checksum_errors: u64,
    /// As ZFS opened it, or last did: it may lead to another disk by now.
    pub path: String,
    /// What it is for.
    pub class: Class,
    /// Its top-level vdev, such as `mirror-0`; empty when it is one itself.
    pub top: String,
    /// The `replacing-…` or `spare-…` vdev that it shares one place with others in; empty for most.
    pub place: String,
}

/// Every imported pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolFacts {
    /// Those that could be read whole.
    pub read: Vec<PoolFact>,
    /// Imported pools whose status could not be read, with the reason.
    pub unreadable: Vec<Unreadable>,
}

/// Every imported pool; none when ZFS cannot be asked, which [`crate::zfs::module`] tells apart. One that cannot be read
/// hides no other.
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

/// The same, without a look at any disk: quick.
///
/// # Errors
/// When a program that must be there fails.
pub async fn pools_alone(host: &dyn System) -> Result<PoolFacts, RunError> {
    Ok(pools(host, &Surroundings::of_pools(host).await?).await)
}

async fn fact(host: &dyn System, pool: &PoolStatus, around: &Surroundings) -> Result<PoolFact, RunError> {
    let properties = zpool::properties(host, &pool.name).await?;
    let number = |name: &str| properties.get(name).and_then(|value| value.parse().ok());
    let comment = properties.get("comment").filter(|comment| *comment != "-");
    // A pool that answers everything else is not told as unreadable for this.
    let available = zfs::property(host, "available", &pool.name).await.ok().flatten();
    let scan = pool.scan.as_ref();
    let ms = |seconds: u64| seconds.saturating_mul(1000);
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
        legs: pool.legs.iter().map(|one| leg(pool.guid, one, around)).collect(),
        comment: comment.cloned().unwrap_or_default(),
        status: pool.status.clone(),
        available_bytes: available
            .and_then(|available| available.value.parse().ok())
            .unwrap_or(0),
        readonly: properties.get("readonly").is_some_and(|value| value == "on"),
    })
}

fn leg(pool: u64, leg: &Vdev, around: &Surroundings) -> LegFact {
    LegFact {
        serial: around.serial_of(pool, leg.guid).unwrap_or_default().to_owned(),
        guid: leg.guid,
        state: leg.state.clone(),
        read_errors: leg.read_errors,
        write_errors: leg.write_errors,
        checksum_errors: leg.checksum_errors,
        path: leg.path.clone(),
        class: leg.class,
        top: leg.top.clone(),
        place: leg.place.clone(),
    }
}
