//! The coordinator and its command line.

pub mod app;
pub mod clock;
pub mod config;
pub mod contact;
pub mod pki;
pub mod planner;
pub mod sessions;
pub mod tls;
