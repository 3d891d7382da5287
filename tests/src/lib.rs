//! The fleet in one process: a coordinator in a temporary folder, real agents on simulated machines, hand-made agents
//! that do what a real one never would; over loopback mTLS.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

mod clock;
mod coordinator;
mod cut;
mod laptop;
mod node;
mod operator;
mod record;
mod recovery;
pub mod served;
mod stranger;
pub mod tls;

pub use clock::HandClock;
pub use coordinator::Fleet;
pub use cut::Cut;
pub use laptop::{Laptop, Outcome};
pub use node::{Node, agent_json};
pub use operator::{Operator, config, consents};
pub use record::put_on_record;
pub use stranger::{Line, Stranger};

/// Sunday, 1 March 2026, noon: when simulated machines begin.
pub const NOON: u64 = 1_772_366_400_000;

/// The cluster's name.
pub const CLUSTER: &str = "k8sctl";

/// Who consents.
pub const ME: &str = "me";
