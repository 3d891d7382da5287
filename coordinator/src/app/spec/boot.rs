use heeler_proto::EnsureBoot;

use super::{Asked, Source};

impl Asked for EnsureBoot {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.boot.clone()
    }
}
