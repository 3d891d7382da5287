//! The only code that touches a machine.
//!
//! [`System`] is the one seam: [`RealSystem`] is a Linux machine, [`sim::Machine`] one in memory that can lose power.
//! Above it stands one module per program, which knows its arguments and reads its output.

pub mod facts;

mod command;
mod file;
mod secret;
mod system;
mod unit;

pub use command::{Command, Output, RunError, Stdin};
pub use file::{Content, File};
pub use secret::Secret;
pub use system::System;
pub use unit::{Job, JobState, UnitAction, UnitError, UnitState};
