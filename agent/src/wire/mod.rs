//! Turns the types of engine and host into messages.

mod event;
mod facts;
mod schedule;

pub use event::event;
pub use facts::{facts, pools};
pub use schedule::schedule;
