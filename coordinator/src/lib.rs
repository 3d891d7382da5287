//! The coordinator and its command line.

pub mod clock;
pub mod contact;
