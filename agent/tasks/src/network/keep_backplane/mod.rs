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
use crate::task::{Past, Work};

impl Work for KeepBackplane {
    /// An interrupted change is undone first, and the card is chosen before its address is checked.
    fn steps(&self, past: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(NothingHalfDone { task: self.clone() }),
            Box::new(NicChosen { task: self.clone() }),
            Box::new(AddressFree { task: self.clone() }),
            Box::new(BackplaneUp {
                task: self.clone(),
                resumed: past.resumed,
            }),
        ]
    }
}
