//! Screens: pure functions from replies to lines, and from lines to text of a given width.

mod act;
mod amount;
mod audit;
mod blocked;
mod copies;
mod diff;
mod disks;
mod event;
mod handbook;
mod handbook_cases;
mod imported;
mod line;
mod mistakes;
mod node_plan;
mod nodes;
mod plan;
mod printable;
mod removal;
mod revision;
mod secrets;
mod snapshots;
mod status;
mod step_words;
mod table;
mod tasks;
mod trust;
mod unmanaged;

pub use act::asks;
pub use amount::{ago, date, gibibytes, left};
pub use audit::audit;
pub use copies::copies;
pub use diff::diff;
pub use disks::disks;
pub use event::{AFTER_REBOOT, EventLog, bounds_a_task, ends, is_an_op, is_shown, progress, reboots};
pub use handbook::handbook;
pub use handbook_cases::{CASES, NEVER};
pub use heeler_proto::duration::span;
pub use imported::imported;
pub use line::{Ink, Line, Screen, wrap};
pub use mistakes::mistakes;
pub use node_plan::{PlanState, changes, in_state, plan_state, planned_reboots};
pub use nodes::{facts, node, nodes};
pub use plan::{Checkout, PlanView, plan};
pub use printable::{escaped, is_hidden, printable};
pub use removal::{gates, release};
pub use revision::revision;
pub use secrets::secrets;
pub use snapshots::{snapshot_diff, snapshots};
pub use status::status;
pub use tasks::{task, tasks};
pub use trust::{authorities, fingerprint, operators, revoked};
pub use unmanaged::no_longer_managed;

#[cfg(test)]
mod tests;
