//! What a machine is made of and holds, for the coordinator and the person.

mod pool;

pub use pool::{LegFact, PoolFact};
