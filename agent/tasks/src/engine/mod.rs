//! Observe, plan, apply, verify: the one loop.

mod event;
mod op;
mod plan;
mod record;
mod step;

pub use event::{Event, Outcome};
pub use op::{Edit, GuardAction, Op, Remove};
pub use plan::{Blocked, Plan, StepName};
pub use record::{Intent, NoConsent, Record};
pub use step::{AnyStep, Step};
