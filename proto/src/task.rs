use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{
    EnsureAccess, EnsureBoot, EnsureBridge, EnsureLocale, EnsureNames, EnsureRepositories, EnsureSound, EnsureStorages,
    EnsureTime, EnsureTimezone, Invalid, KeepBackplane, KeepScrubs, KeepSnapshots, LiveSerial, PoolSpec, Serial, v1,
};

/// Calls a macro with the type and the name of every kind of task, in the order in which the tasks of a node run: what
/// protects data first, the network last, because a change of it waits for the networks of other nodes. This is the
/// list of tasks: a new kind is one line here.
#[macro_export]
macro_rules! for_each_task {
    ($callback:ident) => {
        $callback! {
            EnsurePool "ensure pool",
            EraseDisk "erase disk",
            KeepSnapshots "schedule snapshots",
            KeepScrubs "schedule scrubs",
            EnsureSound "repair packages",
            EnsureTime "ensure time",
            EnsureTimezone "ensure timezone",
            EnsureLocale "ensure locale",
            EnsureNames "ensure names",
            EnsureBoot "set up boot",
            EnsureRepositories "set up repositories",
            EnsureAccess "set up access",
            EnsureStorages "set up storages",
            EnsureBridge "set up bridge",
            KeepBackplane "set up backplane",
        }
    };
}

/// What a kind of task wants, as it goes over the wire.
///
/// It is JSON. An unknown field is refused, so that no agent does less than it was asked for. A field that is added
/// later has a default, is left out when it has it, and then an agent of the version before reads the spec.
pub trait Spec: Serialize + DeserializeOwned {
    /// Checks what the types of the fields cannot. Its error: the first field that is not valid.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A spec that is in the list of tasks.
pub trait Kind: Spec {
    /// "ensure pool", "erase disk": as lists show the task.
    const NAME: &'static str;
}

macro_rules! tasks {
    ($($kind:ident $name:literal,)*) => {
        /// The unit of work that a coordinator gives to an agent.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each spec has its own comment")]
        pub enum Task {
            $($kind($kind),)*
        }

        $(impl Kind for $kind {
            const NAME: &'static str = $name;
        })*

        impl Task {
            /// [`Kind::NAME`] of its spec.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $name,)*
                }
            }

            /// Reads a task of this kind. Fails when the kind is not known here, or the spec is not valid.
            pub fn read(kind: &str, spec: &[u8]) -> Result<Self, Invalid> {
                match kind {
                    $($name => read(spec).map(Self::$kind),)*
                    other => Err(Invalid::new("task.kind", format!("{other:?} is not known to this version"))),
                }
            }

            fn spec(&self) -> serde_json::Result<Vec<u8>> {
                match self {
                    $(Self::$kind(spec) => serde_json::to_vec(spec),)*
                }
            }
        }
    };
}
for_each_task!(tasks);

fn read<S: Spec>(spec: &[u8]) -> Result<S, Invalid> {
    let spec: S = serde_json::from_slice(spec).map_err(|error| Invalid::new("task.spec", error.to_string()))?;
    spec.check()?;
    Ok(spec)
}

/// Task: the node has its pool, imported, or created with a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsurePool {
    /// The pool to have.
    pub pool: PoolSpec,
    /// Serials on record as legs of pools in use: never part of a new pool, whatever the consent.
    pub live: Vec<LiveSerial>,
    /// Serials of the pool's disks that are not read in full before the pool is created, because an operator said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Serial>,
}

impl Spec for EnsurePool {
    fn check(&self) -> Result<(), Invalid> {
        self.pool.check()
    }
}

/// Task: a whole disk is overwritten with zeroes, with a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseDisk {
    /// The disk to overwrite.
    pub serial: Serial,
    /// Serials on record as legs of pools in use: never erased.
    pub live: Vec<LiveSerial>,
}

impl Spec for EraseDisk {}

impl TryFrom<v1::Task> for Task {
    type Error = Invalid;
    fn try_from(wire: v1::Task) -> Result<Self, Invalid> {
        Self::read(&wire.kind, &wire.spec)
    }
}

impl From<Task> for v1::Task {
    fn from(task: Task) -> Self {
        Self {
            kind: task.kind().to_owned(),
            // Specs have no maps and no floating-point numbers, so this cannot fail; a reader refuses an empty one.
            spec: task.spec().unwrap_or_default(),
        }
    }
}
