use std::path::PathBuf;

use heeler_host::{RunError, System, locale};
use heeler_proto::Locale;

use super::{BLOCK, content};
use crate::engine::{Edit, Op, Plan, Step, StepName};

/// New sessions use the locale.
///
/// A block of its own keeps every other line, and is written atomically. update-locale overwrites the file in place
/// and turns off a LANGUAGE that does not fit; localectl removes comments.
pub(super) struct LangSet {
    pub(super) locale: Locale,
}

pub(super) struct Observed {
    path: PathBuf,
    before: Option<Vec<u8>>,
}

impl Step for LangSet {
    const NAME: StepName = "LangSet";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let path = locale::default_path(host).await?;
        let before = content(host, &path).await?;
        Ok(Observed { path, before })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let wanted = self.locale.as_str();
        let before = seen.before.as_deref();
        let set = |text: &str| locale::lang(text).is_some_and(|lang| locale::same(lang, wanted));
        if set(&String::from_utf8_lossy(before.unwrap_or_default())) {
            return Plan::Satisfied;
        }
        let edit = Edit::of(&seen.path, BLOCK, format!("LANG={wanted}"), before);
        match edit.spliced(before) {
            Ok(after) if !set(&after) => Plan::blocked(
                format!("{} sets LANG once more below Heeler's block", seen.path.display()),
                "the last line wins",
                "remove that line on the node; then: heeler apply",
            ),
            _ => Plan::change(vec![Op::Edit(edit)]),
        }
    }
}
