use std::time::Duration;

use heeler_host::{RunError, System, pvesm};
use heeler_proto::EnsureStorages;

use super::super::proxmox_up::Silent;
use super::storages_exist::StoragesExist;
use crate::engine::{Plan, Step, StepName};

/// The node can use every storage that is not disabled: `pvesm add` succeeds for some that it cannot.
pub(super) struct StoragesActive {
    pub(super) task: EnsureStorages,
}

pub(super) enum Observed {
    Silent(Silent),
    /// At least one of them is not set up yet.
    NotThere,
    /// The storages that cannot be used.
    Inactive(Vec<String>),
}

impl Step for StoragesActive {
    const NAME: StepName = "StoragesActive";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        if let Some(silent) = Silent::now(host).await? {
            return Ok(Observed::Silent(silent));
        }
        let there = pvesm::storages(host).await?;
        let known = |name: &str| there.iter().any(|storage| storage.name == name && !storage.disabled);
        let used = self.task.storages.iter().filter(|storage| !storage.disabled);
        let used: Vec<&str> = used.map(|storage| storage.name.as_str()).collect();
        if !used.iter().all(|name| known(name)) {
            return Ok(Observed::NotThere);
        }
        let active = pvesm::active(host).await?;
        let inactive = used.iter().filter(|name| !active.contains(**name));
        Ok(Observed::Inactive(inactive.map(|name| (*name).to_owned()).collect()))
    }

    fn plan(&self, seen: &Observed) -> Plan {
        match seen {
            Observed::Silent(Silent::NotInstalled) => Silent::NotInstalled.plan(),
            Observed::Silent(Silent::NotUp) | Observed::NotThere => Plan::After(StoragesExist::NAME),
            Observed::Inactive(names) if names.is_empty() => Plan::Satisfied,
            Observed::Inactive(names) => Plan::Retry {
                after: Duration::from_secs(10),
                why: format!(
                    "Proxmox cannot use the storage {}; on the node: pvesm status",
                    names.join(", ")
                ),
            },
        }
    }
}
