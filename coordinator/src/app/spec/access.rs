use heeler_proto::EnsureAccess;

use super::{Asked, Source};

impl Asked for EnsureAccess {
    /// Proxmox keeps it for the whole cluster; it is asked of each node, which changes nothing when another did it.
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.access.clone()
    }
}
