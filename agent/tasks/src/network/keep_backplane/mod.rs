//! The node's second card, the backplane: chosen without a guess, with a fixed name and an address that no other
//! machine has.

mod address_free;
mod backplane_up;
mod card;
mod files;
mod nic_chosen;
mod nothing_half_done;
mod state;

use heeler_proto::KeepBackplane;

use address_free::AddressFree;
use backplane_up::BackplaneUp;
use nic_chosen::NicChosen;
use nothing_half_done::NothingHalfDone;

use crate::engine::AnyStep;

/// The steps, in order: an interrupted change is undone first, and the card is chosen before its address is checked.
/// `resumed` says that this task may have changed something before.
#[must_use]
pub fn steps(task: &KeepBackplane, resumed: bool) -> Vec<Box<dyn AnyStep>> {
    vec![
        Box::new(NothingHalfDone { task: task.clone() }),
        Box::new(NicChosen { task: task.clone() }),
        Box::new(AddressFree { task: task.clone() }),
        Box::new(BackplaneUp {
            task: task.clone(),
            resumed,
        }),
    ]
}
