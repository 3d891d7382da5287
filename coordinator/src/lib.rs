//! The coordinator and its command line.

pub mod clock;
pub mod config;
pub mod contact;
