use std::path::Path;

use heeler_host::{RunError, System, locale, locale_gen};
use heeler_proto::Locale;

use super::{BLOCK, content};
use crate::engine::{Edit, Key, Op, Plan, Step, StepName};

/// Programs can use the locale.
pub(super) struct LocaleGenerated {
    pub(super) locale: Locale,
}

pub(super) struct Observed {
    there: bool,
    installed: bool,
    has_source: bool,
    list: Option<Vec<u8>>,
}

impl Step for LocaleGenerated {
    const NAME: StepName = "LocaleGenerated";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let wanted = self.locale.as_str();
        Ok(Observed {
            there: locale::is_there(host, wanted).await?,
            installed: locale_gen::is_installed(host).await,
            has_source: locale_gen::has_source(host, wanted).await,
            list: content(host, Path::new(locale_gen::PATH)).await?,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let wanted = self.locale.as_str();
        if seen.there {
            return Plan::Satisfied;
        }
        if !seen.installed {
            return Plan::blocked(
                format!("the locale {wanted} is not generated, and locale-gen is not installed"),
                "locale-gen generates it",
                "on the node: apt install locales; then: heeler apply",
            );
        }
        if !seen.has_source {
            return Plan::blocked(
                format!("the node's package locales does not know {wanted}"),
                "nothing can generate it",
                "",
            )
            .edit(Key::Locale, "", "write another locale for this node");
        }
        let before = seen.list.as_deref();
        let mut ops = Vec::new();
        if !locale_gen::lists(&String::from_utf8_lossy(before.unwrap_or_default()), wanted) {
            ops.push(Op::Edit(Edit::of(
                locale_gen::PATH,
                BLOCK,
                locale_gen::line(wanted),
                before,
            )));
        }
        ops.push(Op::Run(locale_gen::command()));
        Plan::change(ops)
    }
}
