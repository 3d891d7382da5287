//! The engine: observes, plans, applies and observes again, step by step.

mod apply;
mod blocked;
mod carry_out;
mod class;
mod edit;
mod event;
mod job;
mod kernel_ready;
mod look;
mod op;
mod plan;
mod preview;
mod prove_blank;
mod record;
mod step;
mod summary;

pub use apply::{ApplyError, apply};
pub use blocked::{Blocked, Key, Place};
pub use carry_out::carry_out;
pub use class::{Class, in_full};
pub use edit::{EditError, fingerprint};
pub use event::{Event, Outcome, Scrub, StepEnd};
pub use op::{Edit, GuardAction, Op, Remove};
pub use plan::{Plan, StepName};
pub use preview::look_at;
pub use record::{Intent, NoConsent, Record};
pub use step::{AnyStep, Step};
pub use summary::describe;
