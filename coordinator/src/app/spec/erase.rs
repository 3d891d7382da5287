use heeler_proto::EraseDisk;

use super::{Asked, Source};

/// Only a person asks for it: `heeler disk erase`.
impl Asked for EraseDisk {
    fn from(_: &Source<'_>) -> Option<Self> {
        None
    }

    fn asked(self) -> Option<Self> {
        None
    }
}
