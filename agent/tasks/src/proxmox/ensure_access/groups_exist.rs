use heeler_host::pveum::{self, Group};
use heeler_host::{RunError, System};
use heeler_proto::EnsureAccess;

use super::super::proxmox_up::Silent;
use crate::engine::{Op, Plan, Step, StepName};

/// Proxmox has the groups. Their members are [`super::people_exist::PeopleExist`]'s.
pub(super) struct GroupsExist {
    pub(super) task: EnsureAccess,
}

impl Step for GroupsExist {
    const NAME: StepName = "GroupsExist";
    type Observed = Result<Vec<Group>, Silent>;

    async fn observe(&self, host: &dyn System) -> Result<Result<Vec<Group>, Silent>, RunError> {
        match Silent::now(host).await? {
            None => Ok(Ok(pveum::groups(host).await?)),
            Some(silent) => Ok(Err(silent)),
        }
    }

    fn plan(&self, seen: &Result<Vec<Group>, Silent>) -> Plan {
        let there = match seen {
            Ok(there) => there,
            Err(silent) => return silent.plan(),
        };
        let missing = self.task.groups.iter().map(|group| group.name.as_str());
        let missing = missing.filter(|name| !there.iter().any(|group| group.name == *name));
        let ops: Vec<Op> = missing.map(|name| Op::Run(pveum::add_group_command(name))).collect();
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}
