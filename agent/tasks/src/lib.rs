//! Everything that an agent can do, and the engine that does it.
//!
//! A task is a list of steps; a step says what it sees and what it would change; the engine alone changes the machine.

pub mod engine;
pub mod network;
pub mod snapshot;
pub mod storage;

mod task;

pub use storage::imported as imported_pools;
pub use task::{Uses, preview, run, steps, uses};
