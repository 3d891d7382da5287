//! The step that could lose data. Import and creation are in separate files, and a failed import never leads to a
//! creation.

mod blank;
mod create;
mod import;
mod imported;
mod observed;
mod places;

use std::collections::BTreeSet;

use heeler_host::{RunError, System, zpool};
use heeler_proto::{CreatePool, EnsurePool, Irreversible, PoolGuid};

use observed::Observed;

use crate::engine::{Op, Plan, Step, StepName};
use crate::storage::words;

/// The node's pool is imported.
pub(super) struct PoolExists {
    task: EnsurePool,
    /// Creations on this node that were begun and not ended.
    interrupted: Vec<CreatePool>,
}

impl PoolExists {
    pub(super) fn new(task: &EnsurePool, interrupted: &[Irreversible]) -> Self {
        let created = interrupted.iter().filter_map(|act| match act {
            Irreversible::CreatePool(create) => Some(create.clone()),
            Irreversible::EraseContents(_) | Irreversible::ImportPool(_) | Irreversible::LowerKeep(_) => None,
        });
        Self {
            task: task.clone(),
            interrupted: created.collect(),
        }
    }
}

impl Step for PoolExists {
    const NAME: StepName = "PoolExists";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let mut seen = Observed::look(host, &self.task.pool).await?;
        // `zpool create -n` runs first, so that nobody gives a consent for a creation that zpool refuses.
        if let Plan::Change { ops, .. } = self.plan(&seen)
            && let [
                Op::Irreversible {
                    act: Irreversible::CreatePool(_),
                    op,
                },
            ] = ops.as_slice()
            && let Op::Run(command) = op.as_ref()
        {
            let rehearsed = host.run(&zpool::rehearsal(command)).await?;
            seen.objection = (!rehearsed.ok()).then(|| rehearsed.complaint());
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let pool = &self.task.pool;
        if !seen.loaded {
            return Plan::After("ZfsLoaded");
        }
        if let Some(imported) = seen.imported_as(pool) {
            return imported::plan(pool, imported);
        }
        if let Some(odd) = seen.unreadable_as(pool) {
            return Plan::blocked(
                format!("pool {} is imported and cannot be read: {}", odd.name, odd.reason),
                "Heeler changes nothing that it cannot read completely",
                format!("on the node: zpool status -v {}", odd.name),
            );
        }
        if seen.awaits_hostid(pool) {
            return Plan::After("HostIdSet");
        }
        match pool.recorded_guid {
            Some(guid) => self.recorded(guid, seen),
            None => import::unrecorded(pool, self.begun(), seen)
                .unwrap_or_else(|| create::plan(&self.task, self.begun(), seen)),
        }
    }
}

impl PoolExists {
    /// Whether a creation on exactly the wanted disks was interrupted.
    fn begun(&self) -> bool {
        let wanted = words::set(&self.task.pool.serials);
        self.interrupted.iter().any(|act| {
            let serials: BTreeSet<&str> = act.disks.iter().map(|disk| disk.serial.as_str()).collect();
            serials == wanted
        })
    }

    /// With a guid on record: imports that pool, or is blocked. It never creates one.
    fn recorded(&self, guid: PoolGuid, seen: &Observed) -> Plan {
        match seen.importable.iter().find(|candidate| candidate.pool.guid == guid.0) {
            Some(candidate) => import::recorded(&self.task.pool, candidate, seen),
            None => import::nowhere(&self.task.pool, guid, seen),
        }
    }
}

#[cfg(test)]
mod tests;
