//! The node's second card is up: chosen without a guess, named for good, with its address, and nobody else's.

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

/// In order: what was cut off is put back first, and nothing is said about an address before its card is known. `resumed`: this very task may have changed
/// something before.
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
