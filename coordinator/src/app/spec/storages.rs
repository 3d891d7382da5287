use heeler_proto::EnsureStorages;

use super::{Asked, Source};

impl Asked for EnsureStorages {
    /// Proxmox keeps them for the whole cluster; they are asked of each node, which changes nothing when another did it.
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.storages.clone()
    }
}
