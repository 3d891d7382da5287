use heeler_proto::EnsureNames;

use super::{Asked, Source};

impl Asked for EnsureNames {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.names.clone()
    }
}
