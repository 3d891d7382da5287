use heeler_proto::{KeepBackplane, Kind as _};

use super::{Asked, Source};

/// The kind of task that changes a network.
pub(in super::super) const BACKPLANE: &str = KeepBackplane::NAME;

impl Asked for KeepBackplane {
    fn from(source: &Source<'_>) -> Option<Self> {
        source.wanted.backplane.clone()
    }
}
