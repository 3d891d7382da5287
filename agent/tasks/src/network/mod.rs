//! The node's network. A change that is not confirmed is undone, and a card over which the node is reached is never
//! changed.

pub mod ensure_bridge;
pub mod keep_backplane;

use heeler_host::{UnitState, guard};

use crate::engine::Plan;

/// Blocked, when the guard's timer would not start at boot.
fn timer_missing(timer: &UnitState) -> Option<Plan> {
    let ready = timer.load == "loaded" && timer.enabled == "enabled";
    (!ready).then(|| {
        Plan::blocked(
            format!("{} is {} and {:?}", guard::TIMER, timer.load, timer.enabled),
            "without it nothing would undo a change that cuts this node off",
            "first contact installs it again: heeler node add",
        )
    })
}
