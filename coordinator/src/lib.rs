//! The coordinator and its command line.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contact;
pub mod pki;
pub mod planner;
pub mod screen;
pub mod sessions;
pub mod tls;
