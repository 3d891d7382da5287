//! The bridge over which a Proxmox node and its guests reach the LAN. It takes over from NetworkManager across a reboot,
//! under the guard.

mod address_free;
mod bridge_up;
mod card;
mod card_chosen;
mod change_confirmed;
mod files;
mod nothing_half_done;
mod resolver_set;
mod state;

use heeler_proto::EnsureBridge;

use address_free::AddressFree;
use bridge_up::BridgeUp;
use card_chosen::CardChosen;
use change_confirmed::ChangeConfirmed;
use nothing_half_done::NothingHalfDone;
use resolver_set::ResolverSet;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

impl Work for EnsureBridge {
    /// An interrupted change is undone first; name servers change when the network is confirmed.
    fn steps(&self, past: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        let task = || self.clone();
        vec![
            Box::new(NothingHalfDone {
                task: task(),
                resumed: past.resumed,
            }),
            Box::new(CardChosen { task: task() }),
            Box::new(AddressFree { task: task() }),
            Box::new(BridgeUp { task: task() }),
            Box::new(ChangeConfirmed { task: task() }),
            Box::new(ResolverSet { task: task() }),
        ]
    }
}
