use heeler_proto::v1::event::Kind;
use heeler_proto::v1::{FleetEvent, StepOutcome, TaskFinished, TaskOutcome};
use jiff::tz::TimeZone;

use super::amount::{clock, count};
use super::blocked::{blocked, sentence};
use super::line::{brief, hang};
use super::node_plan::spoken;
use super::{Ink, Line, Screen};

/// An event as lines; none for one that only a progress display needs.
#[must_use]
pub fn event(event: &FleetEvent, column: usize, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let Some((ink, said)) = said(event) else {
        return Vec::new();
    };
    let head = Line::new()
        .ink(Ink::Dim, clock(event.at_ms, zone))
        .plain("  ")
        .ink(Ink::Bold, &event.node)
        .to(10 + column, if event.node.is_empty() { 0 } else { 2 });
    let mut lines = if is_an_op(event) {
        brief(head, ink, &said, 1, screen)
    } else {
        hang(head, ink, &said, screen)
    };
    if let Some(Kind::TaskFinished(TaskFinished {
        blocked: Some(reason), ..
    })) = kind(event)
    {
        lines.extend(blocked(reason, 10 + column, screen));
    }
    lines
}

/// An op that was applied, one of many.
#[must_use]
pub fn is_an_op(event: &FleetEvent) -> bool {
    matches!(kind(event), Some(Kind::OpFinished(op)) if op.ok)
}

fn kind(event: &FleetEvent) -> Option<&Kind> {
    event.event.as_ref()?.kind.as_ref()
}

/// How the task ended, when this event says that it did.
#[must_use]
pub fn ends(event: &FleetEvent) -> Option<TaskOutcome> {
    match kind(event)? {
        Kind::TaskFinished(finished) => Some(finished.outcome()),
        _ => None,
    }
}

fn said(event: &FleetEvent) -> Option<(Ink, String)> {
    let Some(kind) = kind(event) else {
        return Some((
            Ink::Plain,
            if event.text.is_empty() {
                event.kind.clone()
            } else {
                event.text.clone()
            },
        ));
    };
    Some(match kind {
        Kind::TaskStarted(started) if started.resumed => (Ink::Amber, "taken up again after an interruption".into()),
        Kind::TaskStarted(_) => (Ink::Plain, "started".into()),
        Kind::StepStarted(_) | Kind::Progress(_) | Kind::OpStarted(_) => return None,
        Kind::OpFinished(op) if !op.ok => (Ink::Red, format!("FAILED {}: {}", op.summary, op.error)),
        Kind::OpFinished(op) => (Ink::Dim, op.summary.clone()),
        Kind::StepFinished(step) => match step.outcome() {
            StepOutcome::Satisfied if step.changed => (Ink::Green, spoken(&step.step)),
            StepOutcome::Satisfied | StepOutcome::NotApplicable => return None,
            // The end of the task says it whole.
            StepOutcome::Blocked => return None,
            _ if step.reason.is_empty() => return None,
            _ => (Ink::Amber, format!("{}: {}", spoken(&step.step), step.reason)),
        },
        Kind::TaskFinished(finished) => end(finished),
        Kind::Snapshots(run) => {
            let ink = if run.problems.is_empty() { Ink::Dim } else { Ink::Amber };
            (ink, event.text.clone())
        }
        Kind::Scrub(run) => {
            let good = run.what == "started" || run.errors == 0 && run.what == "finished";
            (if good { Ink::Plain } else { Ink::Amber }, event.text.clone())
        }
        Kind::Note(note) => (
            if note.level == "info" { Ink::Plain } else { Ink::Amber },
            note.text.clone(),
        ),
    })
}

fn end(finished: &TaskFinished) -> (Ink, String) {
    let changes = count(finished.changes as usize, "change");
    let because = |word: &str| match finished.reason.as_str() {
        "" => word.to_owned(),
        reason => format!("{word}: {}", sentence(reason)),
    };
    match finished.outcome() {
        TaskOutcome::Done if finished.changes == 0 => (Ink::Green, "done, nothing to change".into()),
        TaskOutcome::Done => (Ink::Green, format!("done, {changes}")),
        TaskOutcome::Blocked if finished.blocked.is_some() => (Ink::Red, "BLOCKED".into()),
        TaskOutcome::Blocked => (Ink::Red, because("BLOCKED")),
        TaskOutcome::Failed => (Ink::Red, because("FAILED")),
        TaskOutcome::Refused => (Ink::Red, because("REFUSED")),
        TaskOutcome::Unspecified => (Ink::Red, because("ended")),
    }
}

/// What a progress display shows of a node while nothing has ended: the step, and how far it is.
#[must_use]
pub fn progress(event: &FleetEvent) -> Option<(String, Option<u32>)> {
    Some(match kind(event)? {
        Kind::TaskStarted(started) if started.resumed => ("taken up again".into(), None),
        Kind::TaskStarted(_) => ("started".into(), None),
        Kind::StepStarted(step) => (spoken(&step.step), None),
        Kind::OpStarted(op) => (op.summary.clone(), None),
        Kind::Progress(progress) => (progress.text.clone(), Some(progress.percent.min(100))),
        _ => return None,
    })
}
