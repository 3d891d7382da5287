use heeler_proto::KeepCopies;

use super::{Asked, Source};

impl Asked for KeepCopies {
    /// None without a pool.
    fn from(source: &Source<'_>) -> Option<Self> {
        let wanted = source.wanted;
        (!wanted.disks.is_empty()).then(|| Self {
            pool: wanted.pool.clone(),
            keep: wanted.copies,
        })
    }
}
