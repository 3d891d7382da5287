use serde::{Deserialize, Serialize};

use crate::{Invalid, KeepBackplane, KeepScrubs, KeepSnapshots, LiveSerial, PoolSpec, Serial, v1};

/// The unit of work that a coordinator gives to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// The pool is imported, or created with a consent.
    EnsurePool(EnsurePool),
    /// A disk is overwritten with zeroes.
    EraseDisk(EraseDisk),
    /// The node's second card has its address.
    KeepBackplane(KeepBackplane),
    /// Snapshots are taken and pruned on a schedule.
    KeepSnapshots(KeepSnapshots),
    /// The pool is scrubbed on a schedule.
    KeepScrubs(KeepScrubs),
}

/// Task: the node has its pool, imported, or created with a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnsurePool {
    /// The pool to have.
    pub pool: PoolSpec,
    /// Serials on record as legs of pools in use: never part of a new pool, whatever the consent.
    pub live: Vec<LiveSerial>,
    /// Serials of the pool's disks that are not read in full before the pool is created, because an operator said so.
    #[serde(default)]
    pub unread: Vec<Serial>,
}

/// Task: a whole disk is overwritten with zeroes, with a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseDisk {
    /// The disk to overwrite.
    pub serial: Serial,
    /// Serials on record as legs of pools in use: never erased.
    pub live: Vec<LiveSerial>,
}

impl Task {
    /// "ensure pool", "erase disk": as lists show the task.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EnsurePool(_) => "ensure pool",
            Self::EraseDisk(_) => "erase disk",
            Self::KeepBackplane(_) => "keep backplane",
            Self::KeepSnapshots(_) => "keep snapshots",
            Self::KeepScrubs(_) => "keep scrubs",
        }
    }
}

fn live(wire: Vec<v1::LiveSerial>) -> Result<Vec<LiveSerial>, Invalid> {
    wire.into_iter().map(TryInto::try_into).collect()
}

impl TryFrom<v1::Task> for Task {
    type Error = Invalid;
    fn try_from(wire: v1::Task) -> Result<Self, Invalid> {
        match wire.kind.ok_or_else(|| Invalid::missing("task.kind"))? {
            v1::task::Kind::EnsurePool(task) => Ok(Self::EnsurePool(EnsurePool {
                pool: task
                    .pool
                    .ok_or_else(|| Invalid::missing("ensure_pool.pool"))?
                    .try_into()?,
                live: live(task.live)?,
                unread: task
                    .unread
                    .iter()
                    .map(|text| Serial::new(text))
                    .collect::<Result<_, _>>()?,
            })),
            v1::task::Kind::EraseDisk(task) => Ok(Self::EraseDisk(EraseDisk {
                serial: Serial::new(&task.serial)?,
                live: live(task.live)?,
            })),
            v1::task::Kind::KeepBackplane(task) => Ok(Self::KeepBackplane(task.try_into()?)),
            v1::task::Kind::KeepSnapshots(task) => task.try_into().map(Self::KeepSnapshots),
            v1::task::Kind::KeepScrubs(task) => task.try_into().map(Self::KeepScrubs),
        }
    }
}

impl From<Task> for v1::Task {
    fn from(task: Task) -> Self {
        let wire = |live: Vec<LiveSerial>| live.into_iter().map(Into::into).collect();
        let kind = match task {
            Task::EnsurePool(task) => v1::task::Kind::EnsurePool(v1::EnsurePool {
                pool: Some(task.pool.into()),
                live: wire(task.live),
                unread: task.unread.into_iter().map(Into::into).collect(),
            }),
            Task::EraseDisk(task) => v1::task::Kind::EraseDisk(v1::EraseDisk {
                serial: task.serial.into(),
                live: wire(task.live),
            }),
            Task::KeepBackplane(task) => v1::task::Kind::KeepBackplane(task.into()),
            Task::KeepSnapshots(task) => v1::task::Kind::KeepSnapshots(task.into()),
            Task::KeepScrubs(task) => v1::task::Kind::KeepScrubs(task.into()),
        };
        Self { kind: Some(kind) }
    }
}
