use heeler_proto::EnsureRepositories;

use super::{Asked, Source};

impl Asked for EnsureRepositories {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.repositories.clone()
    }
}
