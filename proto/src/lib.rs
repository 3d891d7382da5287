//! The contract between agent, coordinator and operator.
//!
//! [`v1`] holds the generated messages. The other modules hold types that can only be made from a valid message, so
//! that no code behind the wire checks a value twice.

mod access;
mod backplane;
mod blocked;
mod boot;
pub mod bounds;
mod bridge;
mod canonical;
mod circle;
mod consent;
pub mod duration;
mod generation;
mod hex;
mod irreversible;
mod locale;
mod mountpoint;
mod name;
mod names;
mod pool;
mod repositories;
#[cfg(feature = "json")]
mod shape;
mod snapshot;
mod sound;
mod storages;
mod task;
mod time_servers;
mod timezone;
mod trust;
mod word;

pub use access::{AccessGroup, AccessName, AccessPath, EnsureAccess, Person, Realm, Right};
pub use backplane::{Cidr, KeepBackplane, Mac, Renderer};
pub use blocked::advice;
pub use boot::{EnsureBoot, Journal, PageSize, Pcie, Swap};
pub use bridge::{BridgeName, EnsureBridge};
pub use canonical::{Canonical, sha256};
pub use circle::{Circle, MOST_STATEMENTS, Refused, TrustedOperator};
pub use consent::{Consent, ConsentError};
pub use generation::Generation;
pub use hex::{hex, unhex};
pub use irreversible::{
    CreatePool, DiskIdentity, EraseContents, ImportPool, Irreversible, KeepChange, LowerKeep, ReleaseHold,
};
pub use locale::{EnsureLocale, Locale};
pub use mountpoint::{Mountpoint, is_below};
pub use name::{NodeName, OperatorName, Serial, TaskId};
pub use names::{Domain, EnsureNames, Host};
pub use pool::{Dataset, HostId, LiveSerial, PoolGuid, PoolName, PoolSpec, dataset_name};
/// Gives `encoded_len`, `encode` and `decode` of the messages.
pub use prost::Message;
pub use repositories::{EnsureRepositories, Fingerprint, PublicKey, RepositoryUri, RepositoryWord};
pub use snapshot::{Class, Keep, KeepScrubs, KeepSnapshots, ScrubEvery, SnapshotPolicy};
pub use sound::EnsureSound;
pub use storages::{EnsureStorages, Storage, StorageContent, StorageName, StoragePlace};
pub use task::{EnsurePool, EraseDisk, Kind, Spec, Task};
pub use time_servers::{EnsureTime, TimeServer};
pub use timezone::{EnsureTimezone, TimeZone};
pub use trust::{Statement, TrustChange, statements_sha256};
pub use word::Word;

/// The messages, generated from `proto/heeler/v1`.
#[expect(missing_docs, clippy::all, reason = "generated: the .proto files carry the comments")]
#[cfg_attr(feature = "server", expect(clippy::allow_attributes, reason = "generated so"))]
pub mod v1 {
    include!("gen/heeler.v1.rs");
}

/// What the command line prints with --json, generated from `proto/json`; a message of [`v1`] serializes in the
/// same way.
#[cfg(feature = "json")]
#[expect(
    missing_docs,
    clippy::all,
    reason = "generated: the .proto file carries the comments"
)]
pub mod json {
    include!("gen/heeler.json.rs");
}

/// A message with a value that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is not valid: {problem}")]
pub struct Invalid {
    /// The field, as the .proto files name it.
    pub field: &'static str,
    /// What was found, as an error message shows it.
    pub problem: String,
}

impl Invalid {
    /// `field` holds a value that is not valid; `problem` says what was found.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self {
            field,
            problem: problem.into(),
        }
    }

    /// `field` is required and absent.
    pub fn missing(field: &'static str) -> Self {
        Self::new(field, "it is missing")
    }
}
