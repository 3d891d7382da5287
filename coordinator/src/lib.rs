//! The coordinator and the command line `heeler`.

mod ansible;
mod app;
mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
mod contact;
mod copies;
mod exclusive;
pub mod grpc;
pub mod init;
mod known;
mod operation;
pub mod pki;
mod planner;
mod screen;
pub mod serve;
mod session_thread;
mod sessions;
pub mod state;
mod tls;
mod told;
mod trust;
mod vault;

pub use app::{App, HISTORY_BYTES, Reach, pool_comment};
pub use contact::agent_config;
pub use screen::{Ink, Line, wrap};
pub use tls::{Caller, Patience};
pub use vault::Vault;
