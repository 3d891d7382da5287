//! The node has its locale, and new sessions use it.

mod lang_set;
mod locale_generated;

use std::path::Path;

use heeler_host::{RunError, System};
use heeler_proto::EnsureLocale;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

use lang_set::LangSet;
use locale_generated::LocaleGenerated;

/// Name of the marked block in `/etc/locale.gen` and in the file with the default locale.
const BLOCK: &str = "locale";

impl Work for EnsureLocale {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        let locale = &self.locale;
        vec![
            Box::new(LocaleGenerated { locale: locale.clone() }),
            Box::new(LangSet { locale: locale.clone() }),
        ]
    }
}

/// The content of a file; None when it does not exist.
async fn content(host: &dyn System, path: &Path) -> Result<Option<Vec<u8>>, RunError> {
    let content = heeler_host::content(host, path).await;
    content.map_err(|source| RunError::file(path, source))
}
