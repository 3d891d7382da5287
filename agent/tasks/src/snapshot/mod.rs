//! Snapshots and scrubs: what is due, what may go and why, and the schedule that a coordinator has had accepted.
//!
//! What decides is pure: a schedule, what is seen, and the time. What acts is [`round`] and [`scrub`], which the agent's
//! schedule lane calls.

pub mod calendar;
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
