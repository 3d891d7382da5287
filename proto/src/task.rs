use serde::{Deserialize, Serialize};

use crate::{Invalid, KeepBackplane, KeepScrubs, KeepSnapshots, LiveSerial, PoolSpec, Serial, v1};

/// The unit of work that a coordinator gives to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// The node has its pool.
    EnsurePool(EnsurePool),
    /// A disk is blank.
    EraseDisk(EraseDisk),
    /// The node's second card is up.
    KeepBackplane(KeepBackplane),
    /// Snapshots are taken and pruned.
    KeepSnapshots(KeepSnapshots),
    /// The pool is scrubbed.
    KeepScrubs(KeepScrubs),
}

/// The node has its pool: imported, or created after consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnsurePool {
    /// What is wanted.
    pub pool: PoolSpec,
    /// Serials on record as holding a live pool: never given to `create`, whatever the consent.
    pub live: Vec<LiveSerial>,
    /// Of the pool's serials: a person wants the pool made without every byte of these being read.
    #[serde(default)]
    pub unread: Vec<Serial>,
}

/// A disk is blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseDisk {
    /// The disk.
    pub serial: Serial,
    /// Serials on record as holding a live pool: never erased.
    pub live: Vec<LiveSerial>,
}

impl Task {
    /// "ensure pool", "erase disk": as lists show it.
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
