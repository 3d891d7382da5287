use std::time::Duration;

use async_trait::async_trait;
use heeler_host::disk::Verdict;
use heeler_host::{RunError, System, blkdiscard};
use heeler_proto::{DiskIdentity, EraseContents, EraseDisk, Irreversible};

use super::target::{Target, look, refused};
use crate::engine::{Op, Plan, Step, StepName};

/// The kernel reads the partition table anew, and udev the labels.
const SETTLE: Duration = Duration::from_secs(60);

/// Nothing is on the disk any more, proven as it is before a creation.
pub(super) struct DiskBlank {
    pub(super) task: EraseDisk,
    /// What this very task was erasing when it was cut off: half of it is gone, so the disk does not look as it did
    /// when a person consented.
    pub(super) begun: Option<EraseContents>,
}

#[async_trait]
impl Step for DiskBlank {
    type Observed = Result<Target, Plan>;

    fn name(&self) -> StepName {
        "DiskBlank"
    }

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        look(host, &self.task).await
    }

    fn plan(&self, seen: &Self::Observed) -> Plan {
        let target = match seen {
            Ok(target) => target,
            Err(stopped) => return stopped.clone(),
        };
        if let Some(stopped) = refused(&self.task, target) {
            return stopped;
        }
        let disk = &target.disk;
        if disk.verdict == Verdict::Blank {
            return Plan::Satisfied;
        }
        let fresh = EraseContents {
            disk: DiskIdentity {
                serial: self.task.serial.clone(),
                size_bytes: disk.size_bytes,
            },
            finding: disk.verdict.finding(),
        };
        let begun = self.begun.clone().filter(|begun| begun.disk == fresh.disk);
        let op = Op::Irreversible {
            act: Irreversible::EraseContents(begun.unwrap_or(fresh)),
            command: blkdiscard::zero_command(&disk.by_id),
        };
        Plan::Change {
            ops: vec![op],
            settle: SETTLE,
        }
    }
}
