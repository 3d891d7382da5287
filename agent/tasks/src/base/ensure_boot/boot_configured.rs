use std::path::PathBuf;

use heeler_host::{Content, File, RunError, System, firmware};
use heeler_proto::EnsureBoot;

use super::goal::{Goal, Seen, own_trial};
use crate::engine::{Op, Plan, Remove, Step, StepName, fingerprint};

/// The node starts from the files that were tried, at every boot.
pub(super) struct BootConfigured {
    pub(super) wish: EnsureBoot,
}

pub(super) struct Observed {
    seen: Seen,
    /// Heeler's files of a trial, with their content.
    trial: Vec<(&'static str, Vec<u8>)>,
}

impl Step for BootConfigured {
    const NAME: StepName = "BootConfigured";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let mut trial = Vec::new();
        let own = own_trial(host).await? == Some(true);
        for path in [firmware::TRIAL, firmware::TRIAL_LINE] {
            let content = heeler_host::content(host, path.as_ref()).await;
            let content = content.map_err(|source| RunError::file(path.as_ref(), source))?;
            trial.extend(
                content
                    .filter(|_| own || path == firmware::TRIAL_LINE)
                    .map(|content| (path, content)),
            );
        }
        let seen = Seen::at(host).await?;
        Ok(Observed { seen, trial })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let goal = match Goal::of(&self.wish, &seen.seen) {
            Ok(goal) => goal,
            // The step before says why.
            Err(Plan::NotApplicable(_)) => return Plan::NotApplicable(String::new()),
            Err(plan) => return plan,
        };
        let mut ops = Vec::new();
        if let Some(line) = &goal.line {
            ops.push(Op::Write(File {
                path: firmware::LINE.into(),
                content: Content::Plain(format!("{line}\n").into_bytes()),
                mode: 0o755,
            }));
        }
        ops.extend(goal.edit.map(Op::Edit));
        ops.extend(seen.trial.iter().map(|(path, content)| {
            let remove = Op::Remove(Remove {
                path: PathBuf::from(*path),
                expects: fingerprint(Some(content)),
            });
            remove.explained("remove what was to be tried")
        }));
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}
