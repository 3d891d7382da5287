//! What agent and coordinator both ask of the operating system: run a program, replace a file, notify systemd.
//!
//! This crate alone starts programs. A [`Command`] is data; [`run`], [`follow`] and [`pipe`] run it in a fixed
//! environment, and [`person`] in that of the person who typed a command of Heeler.

mod command;
mod file;
mod notify;
pub mod person;
mod pipe;
mod run;
mod secret;
#[cfg(test)]
mod tests;

pub use command::{Command, Output, RunError, Stdin};
pub use file::{folder_of, replace, sync_folder};
pub use notify::Notify;
pub use pipe::{Piped, pipe};
pub use run::{ENVIRONMENT, PATH, follow, run};
pub use secret::Secret;
