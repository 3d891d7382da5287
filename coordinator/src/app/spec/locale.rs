use heeler_proto::EnsureLocale;

use super::{Asked, Source};

impl Asked for EnsureLocale {
    fn from(source: &Source<'_>) -> Option<Self> {
        let locale = source.wanted.locale.clone();
        locale.map(|locale| Self { locale })
    }
}
