use heeler_host::zfs::{self, Listing, Module, Snapshot};
use heeler_host::{RunError, System, zpool};
use heeler_proto::{Irreversible, Keep, KeepChange, KeepSnapshots, LowerKeep};

use crate::engine::{Op, Plan, Step, StepName};
use crate::snapshot::keep_set;
use crate::snapshot::schedule::{self, Snapshots};

/// The schedule of snapshots is on disk as wanted.
pub(super) struct SnapshotsScheduled {
    pub(super) wanted: KeepSnapshots,
}

pub(super) enum Observed {
    /// The file on disk is as wanted.
    Same,
    NotLoaded,
    NoPool,
    Differs {
        /// The schedule on disk; None when it is unreadable, absent, or of another pool.
        before: Option<KeepSnapshots>,
        after: Snapshots,
        listings: Vec<Listing>,
    },
}

impl Step for SnapshotsScheduled {
    const NAME: StepName = "SnapshotsScheduled";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let text = heeler_host::whole_text(host, schedule::SNAPSHOTS).await?;
        let before = text.and_then(|text| schedule::snapshots(&text).ok());
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(Observed::NotLoaded);
        };
        let policies = &self.wanted.policies;
        let datasets: Vec<&str> = policies.iter().map(|policy| policy.dataset.as_str()).collect();
        let names = datasets.iter().filter_map(|dataset| dataset.split('/').next());
        let imported = zpool::status(host).await?;
        let mut pools = Vec::new();
        for name in names {
            let Some(pool) = imported.iter().find(|pool| pool.name == name) else {
                return Ok(Observed::NoPool);
            };
            pools.push((pool.name.clone(), pool.guid));
        }
        pools.dedup();
        let task = self.wanted.clone();
        let after = Snapshots { task, pools };
        if before.as_ref() == Some(&after) {
            return Ok(Observed::Same);
        }
        // A consent for one pool does not cover another of the same name.
        let same = |before: &Snapshots| {
            let mut pools = before.pools.iter();
            pools.all(|(name, guid)| after.guid(name).is_none_or(|now| now == *guid))
        };
        let before = before.filter(same).map(|before| before.task);
        // Nothing is lost where no count changes, and listing can take minutes.
        let changes = |dataset: &&str| {
            let old = before.as_ref().and_then(|before| before.of(dataset));
            old != self.wanted.of(dataset)
        };
        let changed: Vec<&str> = datasets.into_iter().filter(changes).collect();
        let listings = zfs::snapshots(host, &changed).await?;
        Ok(Observed::Differs {
            before,
            after,
            listings,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let (before, after, listings) = match seen {
            Observed::Same => return Plan::Satisfied,
            Observed::NotLoaded => return Plan::After("ZfsLoaded"),
            Observed::NoPool => return Plan::After("PoolExists"),
            Observed::Differs {
                before,
                after,
                listings,
            } => (before, after, listings),
        };
        // A missing dataset does not stop the step: another step creates it, and each round reports it.
        let write = Op::Write(schedule::snapshots_file(after));
        let lower = self.lowers(before.as_ref(), listings);
        let op = match lower.changes.is_empty() {
            true => write,
            false => Op::Irreversible {
                act: Irreversible::LowerKeep(lower),
                op: Box::new(write),
            },
        };
        Plan::change(vec![match self.started(before.as_ref()).as_slice() {
            [] => op,
            started => op.explained(format!("start snapshots of {}", started.join(", "))),
        }])
    }
}

impl SnapshotsScheduled {
    /// The datasets that had no policy before.
    fn started(&self, before: Option<&KeepSnapshots>) -> Vec<&str> {
        let had = |dataset: &str| before.is_some_and(|before| before.of(dataset).is_some());
        let wanted = self.wanted.policies.iter().map(|policy| policy.dataset.as_str());
        wanted.filter(|dataset| !had(dataset)).collect()
    }

    /// The effect of the new counts. A dataset without an old policy may lose snapshots that the new one does not keep,
    /// which needs a consent too. One without a new policy loses nothing.
    fn lowers(&self, before: Option<&KeepSnapshots>, listings: &[Listing]) -> LowerKeep {
        let mut lower = LowerKeep {
            changes: Vec::new(),
            victims: Vec::new(),
        };
        let change = |dataset: &str, old: Option<&Keep>, new: Option<&Keep>| KeepChange {
            dataset: dataset.to_owned(),
            before: old.map(ToString::to_string).unwrap_or_default(),
            after: new.map(ToString::to_string).unwrap_or_default(),
        };
        for listing in listings {
            let dataset = &listing.dataset;
            let snapshots: &[Snapshot] = listing.snapshots.as_deref().unwrap_or_default();
            let old = before.and_then(|before| before.of(dataset));
            let Some(new) = self.wanted.of(dataset) else { continue };
            let lowered = keep_set::lowered(snapshots, old, new);
            if lowered.any {
                lower.changes.push(change(dataset, old, Some(new)));
            }
            let name = |victim: &Snapshot| (format!("{dataset}@{}", victim.name), victim.guid);
            lower.victims.extend(lowered.victims.into_iter().map(name));
        }
        for old in before.iter().flat_map(|before| &before.policies) {
            if self.wanted.of(&old.dataset).is_none() {
                lower.changes.push(change(&old.dataset, Some(&old.keep), None));
            }
        }
        lower
    }
}
