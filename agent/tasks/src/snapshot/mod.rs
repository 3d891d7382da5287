//! Snapshots, scrubs and copies: what is due, what is pruned and why, and the accepted schedule on disk.
//!
//! The decisions are pure functions of schedule, observation and time. [`round`], [`scrub`] and [`copy`] act; the
//! agent's schedule calls them.

pub mod calendar;
pub mod copy;
pub mod keep_copies;
pub mod keep_scrubs;
pub mod keep_set;
pub mod keep_snapshots;
pub mod round;
pub mod schedule;
pub mod scrub;

mod classes;
mod due;

pub use classes::Classes;
pub use due::{Due, due, next_due_s};
