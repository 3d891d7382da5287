//! The node can get Proxmox's packages from one repository, and from it only what it is meant to give.

mod enterprise_source_off;
mod pins;
mod pins_hold;
mod repository_fetched;
mod why;

use heeler_proto::EnsureRepositories;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

use enterprise_source_off::EnterpriseSourceOff;
use pins_hold::PinsHold;
pub(super) use repository_fetched::{RepositoryFetched, SOURCE};

impl Work for EnsureRepositories {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(EnterpriseSourceOff),
            Box::new(RepositoryFetched { task: self.clone() }),
            Box::new(PinsHold {
                fetched: RepositoryFetched { task: self.clone() },
            }),
        ]
    }
}
