use async_trait::async_trait;
use heeler_host::zfs::{self, Listing, Module, Snapshot};
use heeler_host::{RunError, System};
use heeler_proto::{Irreversible, KeepChange, KeepSnapshots, LowerKeep};

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
        Plan::change(vec![match lower.victims.is_empty() {
            true => write,
            false => Op::Irreversible {
                act: Irreversible::LowerKeep(lower),
                op: Box::new(write),
            },
        }])
    }
}

impl SnapshotsScheduled {
    /// What goes by the new counts and did not by the old ones. A dataset that had no policy loses what its new one does
    /// not keep: nobody has agreed to that yet.
    fn lowers(&self, before: Option<&KeepSnapshots>, listings: &[Listing]) -> LowerKeep {
        let mut lower = LowerKeep {
            changes: Vec::new(),
            victims: Vec::new(),
        };
        for listing in listings {
            let dataset = &listing.dataset;
            let snapshots: &[Snapshot] = listing.snapshots.as_deref().unwrap_or_default();
            let (old, new) = (before.and_then(|before| before.of(dataset)), self.wanted.of(dataset));
            let victims = keep_set::victims(snapshots, old, new);
            if victims.is_empty() {
                continue;
            }
            lower.changes.push(KeepChange {
                dataset: dataset.clone(),
                before: old.map(ToString::to_string).unwrap_or_default(),
                after: new.map(ToString::to_string).unwrap_or_default(),
            });
            let named = victims
                .iter()
                .map(|victim| (format!("{dataset}@{}", victim.name), victim.guid));
            lower.victims.extend(named);
        }
        lower
    }
}
