//! A fleet in one process: a coordinator in a temporary folder, real agents on simulated machines, and hand-made
//! agents that do what a real one never would, all over mTLS on loopback.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

mod bare_agent;
mod clock;
mod coordinator;
mod cut;
mod laptop;
mod node;
mod operator;
mod record;
mod recovery;
pub mod served;
pub mod tls;

pub use bare_agent::{BareAgent, Line};
pub use clock::HandClock;
pub use coordinator::Fleet;
pub use cut::Cut;
pub use laptop::{Laptop, Outcome};
pub use node::{Node, agent_json};
pub use operator::{Operator, config, consents};
pub use record::put_on_record;

/// Sunday, 1 March 2026, noon UTC, in Unix milliseconds: the time at which simulated machines start.
pub const NOON: u64 = 1_772_366_400_000;

/// Cluster name in all fleet tests.
pub const CLUSTER: &str = "k8sctl";

/// Name of the operator who starts every fleet test.
pub const ME: &str = "me";
