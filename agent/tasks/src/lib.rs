//! The tasks of an agent, and the engine that carries them out.
//!
//! A task is a list of steps. A step observes the machine and plans changes; only the engine makes them.

mod base;
pub mod engine;
pub mod network;
mod proxmox;
pub mod snapshot;
pub mod storage;

mod task;

pub use storage::imported as imported_pools;
pub use task::{preview, run, uses_pool};
