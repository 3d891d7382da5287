use heeler_proto::KeepSnapshots;

use super::{Asked, Source};

impl Asked for KeepSnapshots {
    /// None without a pool.
    fn from(source: &Source<'_>) -> Option<Self> {
        let policies = source.wanted.snapshots.clone();
        (!source.wanted.disks.is_empty()).then_some(Self { policies })
    }
}
