use std::path::Path;

use heeler_host::{Content, File, System};
use heeler_proto::v1::{OpPreview, StepOutcome, StepReport};

use super::apply::current;
use super::class::{Class, in_full};
use super::{AnyStep, Op, Plan, look};

/// Previews each step; changes nothing.
pub async fn look_at(host: &dyn System, steps: &[Box<dyn AnyStep>]) -> Vec<StepReport> {
    let mut reports = Vec::with_capacity(steps.len());
    for step in steps {
        let plan = look::seen(host, step.as_ref()).await.unwrap_or_else(|error| {
            let why = "the node could not be examined, and Heeler does not guess";
            Plan::blocked(in_full(&error), why, Class::of(&error).advice())
        });
        let mut report = seen(host, plan).await;
        step.name().clone_into(&mut report.step);
        reports.push(report);
    }
    reports
}

async fn seen(host: &dyn System, plan: Plan) -> StepReport {
    let mut report = StepReport::default();
    let outcome = match plan {
        Plan::Satisfied => StepOutcome::Satisfied,
        Plan::After(step) => {
            step.clone_into(&mut report.after);
            StepOutcome::After
        }
        Plan::Retry { after, why } => {
            report.retry_in_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            report.reason = why;
            StepOutcome::Retry
        }
        Plan::Told(text) => {
            report.reason = text;
            StepOutcome::Satisfied
        }
        Plan::NotApplicable(why) => {
            report.reason = why;
            StepOutcome::NotApplicable
        }
        Plan::Blocked(blocked) => {
            report.blocked = Some(blocked.into());
            StepOutcome::Blocked
        }
        Plan::Change { ops, .. } => {
            for op in &ops {
                report.ops.push(preview(host, op).await);
            }
            StepOutcome::Change
        }
    };
    report.set_outcome(outcome);
    report
}

async fn preview(host: &dyn System, op: &Op) -> OpPreview {
    let done = match op.plain() {
        Op::Irreversible { op, .. } => op,
        other => other,
    };
    let (before, after) = match done {
        Op::Write(File {
            content: Content::Secret(_),
            ..
        }) => Default::default(),
        Op::Write(file) => (text(host, &file.path).await, shown(file.content.bytes())),
        Op::Edit(edit) => {
            let before = current(host, &edit.path).await.unwrap_or_default();
            let after = edit
                .spliced(before.as_deref())
                .unwrap_or_else(|error| error.to_string());
            (before.as_deref().map(shown).unwrap_or_default(), after)
        }
        Op::Remove(remove) => (text(host, &remove.path).await, String::new()),
        Op::Parameter { path, value } => (text(host, path).await.trim_end().to_owned(), value.clone()),
        _ => Default::default(),
    };
    OpPreview {
        kind: op.kind().into(),
        summary: op.summary(),
        before,
        after,
        irreversible: op.act().cloned().map(Into::into),
        meaning: op.meaning().to_owned(),
    }
}

async fn text(host: &dyn System, path: &Path) -> String {
    let found = current(host, path).await.unwrap_or_default();
    found.as_deref().map(shown).unwrap_or_default()
}

/// Text of at most 64 KiB as it is, else at most 16 bytes in hex, else the number of bytes.
fn shown(bytes: &[u8]) -> String {
    let printable = |text: &&str| !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
    match std::str::from_utf8(bytes).ok().filter(printable) {
        Some(text) if bytes.len() <= 64 * 1024 => text.to_owned(),
        _ if bytes.len() <= 16 => bytes
            .iter()
            .map(|byte| format!("{byte:02x} "))
            .collect::<String>()
            .trim_end()
            .to_owned(),
        _ => format!("{} bytes", bytes.len()),
    }
}
