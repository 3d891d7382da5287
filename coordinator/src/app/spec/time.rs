use heeler_proto::EnsureTime;

use super::{Asked, Source};

impl Asked for EnsureTime {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.time.clone()
    }
}
