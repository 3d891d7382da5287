use async_trait::async_trait;
use heeler_host::zfs::{self, Listing, Module, Snapshot};
use heeler_host::{RunError, System};
use heeler_proto::{Irreversible, Keep, KeepChange, KeepSnapshots, LowerKeep};

use crate::engine::{Op, Plan, Step, StepName};
use crate::snapshot::{keep_set, schedule};

/// The lane goes by what is wanted now.
pub(super) struct SnapshotsScheduled {
    pub(super) wanted: KeepSnapshots,
}

pub(super) enum Observed {
    /// The file says what is wanted.
    Same,
    NotLoaded,
    Differs {
        /// What the lane goes by; None when there is nothing that it could.
        before: Option<KeepSnapshots>,
        listings: Vec<Listing>,
    },
}

#[async_trait]
impl Step for SnapshotsScheduled {
    type Observed = Observed;

    fn name(&self) -> StepName {
        "SnapshotsScheduled"
    }

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let text = schedule::text(host, schedule::SNAPSHOTS).await?;
        let before = text.and_then(|text| schedule::snapshots(&text).ok());
        if before.as_ref() == Some(&self.wanted) {
            return Ok(Observed::Same);
        }
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(Observed::NotLoaded);
        };
        let datasets: Vec<&str> = self
            .wanted
            .policies
            .iter()
            .map(|policy| policy.dataset.as_str())
            .collect();
        let listings = zfs::snapshots(host, &datasets).await?;
        Ok(Observed::Differs { before, listings })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let (before, listings) = match seen {
            Observed::Same => return Plan::Satisfied,
            Observed::NotLoaded => return Plan::After("ZfsLoaded"),
            Observed::Differs { before, listings } => (before, listings),
        };
        if listings.iter().any(|listing| listing.snapshots.is_none()) {
            return Plan::After("DatasetsExist");
        }
        let write = Op::Write(schedule::snapshots_file(&self.wanted));
        let lower = self.lowers(before.as_ref(), listings);
        Plan::change(vec![match lower.changes.is_empty() {
            true => write,
            false => Op::Irreversible {
                act: Irreversible::LowerKeep(lower),
                op: Box::new(write),
            },
        }])
    }
}

impl SnapshotsScheduled {
    /// What the new counts keep for a shorter time than the old ones did. A dataset that had no policy loses what its new
    /// one does not keep: nobody has agreed to that yet. One that has none any more loses nothing, and gets nothing more.
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
