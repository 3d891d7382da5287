use std::time::Duration;

use heeler_host::disk::DiskState;
use heeler_host::{RunError, System, blkdiscard};
use heeler_proto::{DiskIdentity, EraseContents, EraseDisk, Irreversible};

use super::target::{Target, look, refused};
use crate::engine::{Op, Plan, Step, StepName};

/// How long the kernel may take to read the partition table again, and udev the labels.
const SETTLE: Duration = Duration::from_secs(60);

/// The disk looks blank. (A creation still reads every byte of it.)
pub(super) struct DiskBlank {
    pub(super) task: EraseDisk,
    /// The erasure that this task began and did not end: the disk is erased in part, so it no longer looks as it did
    /// when the consent was given.
    pub(super) begun: Option<EraseContents>,
}

impl Step for DiskBlank {
    const NAME: StepName = "DiskBlank";
    type Observed = Result<Target, Plan>;

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
        if disk.state == DiskState::Blank {
            return Plan::Satisfied;
        }
        let fresh = EraseContents {
            disk: DiskIdentity {
                serial: self.task.serial.clone(),
                size_bytes: disk.size_bytes,
            },
            finding: disk.state.finding(),
        };
        // The earlier consent covers the disk as long as it looks the same, or its front is erased.
        let remainder = |begun: &EraseContents| {
            begun.disk == fresh.disk && (begun.finding == fresh.finding || target.front_is_zero)
        };
        let begun = self.begun.clone().filter(remainder);
        let op = Op::Irreversible {
            act: Irreversible::EraseContents(begun.unwrap_or(fresh)),
            op: Box::new(Op::Run(blkdiscard::zero_command(&disk.by_id))),
        };
        Plan::Change {
            ops: vec![op],
            settle: SETTLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use heeler_host::disk::Disk;
    use heeler_proto::Serial;

    use super::*;

    fn seen(finding: &str, front_is_zero: bool) -> Result<Target, Plan> {
        let disk = Disk {
            serial: "S1".into(),
            by_id: "/dev/disk/by-id/nvme-M_S1".into(),
            model: "M".into(),
            size_bytes: 1 << 30,
            slot: None,
            transport: "nvme".into(),
            kernel_path: "/dev/nvme0n1".into(),
            state: DiskState::Foreign {
                finding: finding.into(),
            },
            labels: vec![],
            only_marks_of_zfs: false,
        };
        Ok(Target {
            disk,
            front_is_zero,
            partitions: vec![],
            in_use: vec![],
            release: vec![],
        })
    }

    fn act(begun: Option<&str>, seen: &Result<Target, Plan>) -> EraseContents {
        let serial = Serial::new("S1").expect("a serial");
        let disk = DiskIdentity {
            serial: serial.clone(),
            size_bytes: 1 << 30,
        };
        let step = DiskBlank {
            task: EraseDisk { serial, live: vec![] },
            begun: begun.map(|finding| EraseContents {
                disk,
                finding: finding.into(),
            }),
        };
        match step.plan(seen) {
            Plan::Change { ops, .. } => match ops.as_slice() {
                [
                    Op::Irreversible {
                        act: Irreversible::EraseContents(act),
                        ..
                    },
                ] => act.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_interrupted_erasure_spares_later_content() {
        let old = "LVM physical volume";
        assert_eq!(
            act(Some(old), &seen(old, false)).finding,
            old,
            "it had not begun to write"
        );
        let remains = "remains of a GPT partition table";
        assert_eq!(act(Some(old), &seen(remains, true)).finding, old, "its front is gone");
        // The disk was in another machine meanwhile, so it needs a new consent.
        let later = "ext4 file system \"photos\"";
        assert_eq!(act(Some(old), &seen(later, false)).finding, later);
        assert_eq!(act(None, &seen(later, true)).finding, later);
    }
}
