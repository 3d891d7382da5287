//! The step where data could be lost. Importing and creating are different operations, in different files, and no
//! failure of one leads to the other.

mod blank;
mod create;
mod import;
mod imported;
mod observed;
mod places;

use std::collections::BTreeSet;

use async_trait::async_trait;
use heeler_host::{RunError, System, zpool};
use heeler_proto::{CreatePool, EnsurePool, Irreversible, PoolGuid};

use observed::Observed;

use crate::engine::{Op, Plan, Step, StepName};
use crate::storage::words;

/// The node's pool is imported.
pub(super) struct PoolExists {
    task: EnsurePool,
    /// Creations that lost power, or their agent, half-way.
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

#[async_trait]
impl Step for PoolExists {
    type Observed = Observed;

    fn name(&self) -> StepName {
        "PoolExists"
    }

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let mut seen = Observed::look(host, &self.task.pool).await?;
        // Whoever is asked for a consent should not learn afterwards that zpool says no.
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
    /// A creation on exactly the named disks was cut off.
    fn begun(&self) -> bool {
        let wanted = words::set(&self.task.pool.serials);
        self.interrupted.iter().any(|act| {
            let serials: BTreeSet<&str> = act.disks.iter().map(|disk| disk.serial.as_str()).collect();
            serials == wanted
        })
    }

    /// A guid on record: import that pool, or stop. There is no way to creation from here.
    fn recorded(&self, guid: PoolGuid, seen: &Observed) -> Plan {
        match seen.importable.iter().find(|candidate| candidate.pool.guid == guid.0) {
            Some(candidate) => import::recorded(&self.task.pool, candidate, seen),
            None => import::nowhere(&self.task.pool, guid, seen),
        }
    }
}

#[cfg(test)]
mod tests;
