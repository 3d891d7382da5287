use heeler_proto::EnsureTimezone;

use super::{Asked, Source};

impl Asked for EnsureTimezone {
    fn from(source: &Source<'_>) -> Option<Self> {
        let zone = source.wanted.timezone.clone();
        zone.map(|zone| Self { zone })
    }
}
