use heeler_proto::EnsureSound;

use super::{Asked, Source};

impl Asked for EnsureSound {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.repair.then_some(Self {})
    }
}
