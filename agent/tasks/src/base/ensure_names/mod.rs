//! The node has its final host name, and knows the names of the cluster's nodes without DNS.
//!
//! Proxmox does not start on a node whose name resolves to a loopback address alone, and a node that was renamed after
//! Proxmox has started no longer finds its guests.

mod host_name_set;
mod hosts_listed;
mod names_left_alone;

use heeler_proto::EnsureNames;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

use host_name_set::HostNameSet;
use hosts_listed::HostsListed;
use names_left_alone::NamesLeftAlone;

impl Work for EnsureNames {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(NamesLeftAlone),
            Box::new(HostNameSet {
                name: self.name.clone(),
            }),
            Box::new(HostsListed { task: self.clone() }),
        ]
    }
}
