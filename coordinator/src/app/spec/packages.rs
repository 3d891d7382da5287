use heeler_proto::EnsurePackages;

use super::{Asked, Source};

impl Asked for EnsurePackages {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.packages.clone()
    }
}
