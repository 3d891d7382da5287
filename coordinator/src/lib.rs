//! The coordinator and the command line `heeler`.

pub mod app;
pub mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contact;
pub mod copies;
mod exclusive;
pub mod grpc;
pub mod init;
mod known;
pub mod operation;
pub mod pki;
pub mod planner;
pub mod screen;
pub mod serve;
pub mod sessions;
pub mod state;
pub mod tls;
pub mod trust;
pub mod vault;
