//! The agent on each node: one session with the coordinator, one task at a time, and a journal.

mod agent;
mod assignment;
mod backoff;
mod clock;
mod config;
mod connect;
mod copies;
pub mod hold;
mod identity;
mod journal;
mod ledger;
mod pulse;
pub mod release;
mod release_hold;
pub mod schedule;
mod session;
mod sessions;
mod shared;

pub mod node_status;
mod trusted;
mod wire;
mod worker;
mod zfs_events;

#[cfg(test)]
mod tests;

pub use agent::{Agent, StartError};
pub use backoff::delay as reconnect_delay;
pub use config::{Config, ConfigError, Operator};
pub use heeler_host::Notify;
pub use hold::Hold;
pub use identity::{Identity, IdentityError};
pub use release::ReleaseError;

/// This agent's version, as it reports it to the coordinator.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
