use std::path::Path;
use std::time::Duration;

use heeler_host::{Content, File, System};
use heeler_proto::Irreversible;
use heeler_proto::v1::OpKind;

use super::apply::current;
use super::class::{Class, in_full};
use super::{AnyStep, Blocked, Op, Plan, StepName};

/// What one step would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// Name of the step.
    pub step: StepName,
    /// What it would change.
    pub seen: Seen,
}

/// A [`Plan`] for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: its state holds.
    Satisfied,
    /// These ops.
    Change(Vec<OpPreview>),
    /// Unknown until this step has run.
    After(StepName),
    /// Not now.
    Retry {
        /// How long to wait.
        after: Duration,
        /// A clause for a message: no capital, no full stop.
        why: String,
    },
    /// Nothing, because the step does not apply here; the text says why.
    NotApplicable(String),
    /// Nothing, because a person must decide or fix something, or because the node could not be examined.
    Blocked(Blocked),
}

/// An [`Op`] for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpPreview {
    /// [`Op::kind`].
    pub kind: OpKind,
    /// [`Op::summary`].
    pub summary: String,
    /// The text that would be replaced; empty when there is none or it is secret.
    pub before: String,
    /// The new text; empty when there is none or it is secret.
    pub after: String,
    /// The act that cannot be undone; None for other ops.
    pub act: Option<Irreversible>,
    /// [`Op::meaning`].
    pub meaning: String,
}

/// Previews each step; changes nothing.
pub async fn look_at(host: &dyn System, steps: &[Box<dyn AnyStep>]) -> Vec<StepReport> {
    let mut reports = Vec::with_capacity(steps.len());
    for step in steps {
        let seen = match step.look(host).await {
            Ok(plan) => seen(host, plan).await,
            Err(error) => Seen::Blocked(Blocked::new(
                in_full(&error),
                "the node could not be examined, and Heeler does not guess",
                Class::of(&error).advice(),
            )),
        };
        reports.push(StepReport {
            step: step.name(),
            seen,
        });
    }
    reports
}

async fn seen(host: &dyn System, plan: Plan) -> Seen {
    match plan {
        Plan::Satisfied => Seen::Satisfied,
        Plan::After(step) => Seen::After(step),
        Plan::Retry { after, why } => Seen::Retry { after, why },
        Plan::NotApplicable(why) => Seen::NotApplicable(why),
        Plan::Blocked(blocked) => Seen::Blocked(blocked),
        Plan::Change { ops, .. } => {
            let mut previews = Vec::with_capacity(ops.len());
            for op in &ops {
                previews.push(preview(host, op).await);
            }
            Seen::Change(previews)
        }
    }
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
        kind: op.kind(),
        summary: op.summary(),
        before,
        after,
        act: op.act().cloned(),
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
