use std::collections::BTreeSet;

use heeler_proto::Word as _;
use heeler_proto::v1::event::Kind;
use heeler_proto::v1::{FleetEvent, NoteLevel, ScrubChange, StepOutcome, TaskFinished, TaskOutcome};
use jiff::tz::TimeZone;

use super::amount::clock;
use super::blocked::{blocked, sentence};
use super::line::{brief, hang};
use super::step_words::spoken;
use super::{Ink, Line, Screen};

/// Clocks of different nodes may differ by this much. A time that is earlier than the line above by less is shown as
/// that line's time.
const SKEW_MS: u64 = 60_000;

/// Formats events for reading from top to bottom.
#[derive(Debug, Clone)]
pub struct EventLog {
    /// Columns for the node name: the longest name and a gap.
    pub column: usize,
    zone: TimeZone,
    // Latest time shown, Unix milliseconds.
    latest_ms: u64,
    /// Nodes whose task restarts them.
    rebooting: BTreeSet<String>,
}

impl EventLog {
    /// An empty log.
    pub fn new(column: usize, zone: TimeZone) -> Self {
        Self {
            column,
            zone,
            latest_ms: 0,
            rebooting: BTreeSet::new(),
        }
    }

    /// The lines of the next event; empty for one that only the progress display needs. `task` is the kind of the
    /// task that begins or ends; empty when the reader knows it.
    pub fn add(&mut self, event: &FleetEvent, task: &str, screen: Screen) -> Vec<Line> {
        if reboots(event) {
            self.rebooting.insert(event.node.clone());
        }
        let Some((mut ink, mut said)) = said(event) else {
            return Vec::new();
        };
        if resumes(event) && self.rebooting.remove(&event.node) {
            (ink, said) = (Ink::Plain, AFTER_REBOOT.to_owned());
        }
        if !task.is_empty() && bounds_a_task(event) {
            said = format!("{task}: {said}");
        }
        // Nodes have different clocks; small differences must not make times run backwards.
        let behind = self.latest_ms.saturating_sub(event.at_ms);
        let at_ms = if behind < SKEW_MS {
            event.at_ms.max(self.latest_ms)
        } else {
            event.at_ms
        };
        if behind >= SKEW_MS {
            said.push_str(" (reported late)");
        }
        self.latest_ms = self.latest_ms.max(event.at_ms);
        let head = Line::new()
            .ink(Ink::Dim, clock(at_ms, &self.zone))
            .plain("  ")
            .ink(Ink::Bold, &event.node)
            .to(10 + self.column, if event.node.is_empty() { 0 } else { 2 });
        let mut lines = if is_an_op(event) {
            brief(head, ink, &said, 1, screen)
        } else {
            hang(head, ink, &said, screen)
        };
        if let Some(Kind::TaskFinished(TaskFinished {
            blocked: Some(reason), ..
        })) = kind(event)
        {
            lines.extend(blocked(reason, 10 + self.column, screen));
        }
        lines
    }
}

/// A task that goes on.
pub const AFTER_REBOOT: &str = "continues after the reboot";

/// Whether the node restarts now.
pub fn reboots(event: &FleetEvent) -> bool {
    matches!(kind(event), Some(Kind::OpStarted(op)) if op.reboot)
}

fn resumes(event: &FleetEvent) -> bool {
    matches!(kind(event), Some(Kind::TaskStarted(started)) if started.resumed)
}

/// Whether a task begins or ends with the event.
pub fn bounds_a_task(event: &FleetEvent) -> bool {
    matches!(kind(event), Some(Kind::TaskStarted(_) | Kind::TaskFinished(_)))
}

pub fn is_shown(event: &FleetEvent) -> bool {
    said(event).is_some()
}

pub fn is_an_op(event: &FleetEvent) -> bool {
    matches!(kind(event), Some(Kind::OpFinished(op)) if op.ok)
}

fn kind(event: &FleetEvent) -> Option<&Kind> {
    event.event.as_ref()?.kind.as_ref()
}

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
                event.kind().word().to_owned()
            } else {
                event.text.clone()
            },
        ));
    };
    Some(match kind {
        Kind::TaskStarted(started) if started.resumed => (Ink::Amber, "continued after an interruption".into()),
        Kind::TaskStarted(_) => (Ink::Plain, "started".into()),
        Kind::StepStarted(_) | Kind::Progress(_) | Kind::OpStarted(_) => return None,
        Kind::OpFinished(op) if !op.ok => (Ink::Red, format!("FAILED {}: {}", op.summary, op.error)),
        Kind::OpFinished(op) => (Ink::Dim, op.summary.clone()),
        Kind::StepFinished(step) => match step.outcome() {
            StepOutcome::Satisfied if step.changed => (Ink::Green, spoken(&step.step)),
            StepOutcome::Satisfied | StepOutcome::NotApplicable if step.reason.is_empty() => return None,
            StepOutcome::Satisfied | StepOutcome::NotApplicable => (Ink::Plain, step.reason.clone()),
            // The end of the task gives the full reason.
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
            let good = match run.what() {
                ScrubChange::Started => true,
                ScrubChange::Finished => run.errors == 0,
                _ => false,
            };
            (if good { Ink::Plain } else { Ink::Amber }, event.text.clone())
        }
        Kind::Note(note) => (
            if note.level() == NoteLevel::Info {
                Ink::Plain
            } else {
                Ink::Amber
            },
            note.text.clone(),
        ),
    })
}

fn end(finished: &TaskFinished) -> (Ink, String) {
    let because = |word: &str| match finished.reason.as_str() {
        "" => word.to_owned(),
        reason => format!("{word}: {}", sentence(reason)),
    };
    match finished.outcome() {
        TaskOutcome::Done if finished.changes == 0 => (Ink::Green, "done, nothing to change".into()),
        // Only --json counts operations; a plan counts the changes that a person sees.
        TaskOutcome::Done => (Ink::Green, "done".into()),
        TaskOutcome::Blocked if finished.blocked.is_some() => (Ink::Red, "BLOCKED".into()),
        TaskOutcome::Blocked => (Ink::Red, because("BLOCKED")),
        TaskOutcome::Failed => (Ink::Red, because("FAILED")),
        TaskOutcome::Refused => (Ink::Red, because("REFUSED")),
        TaskOutcome::Unspecified => (Ink::Red, because("ended")),
    }
}

/// The running step and its percentage, for the progress display.
pub fn progress(event: &FleetEvent) -> Option<(String, Option<u32>)> {
    Some(match kind(event)? {
        Kind::TaskStarted(started) if started.resumed => ("continued after an interruption".into(), None),
        Kind::TaskStarted(_) => ("started".into(), None),
        Kind::StepStarted(step) => (spoken(&step.step), None),
        Kind::OpStarted(op) => (op.summary.clone(), None),
        Kind::Progress(progress) => (progress.text.clone(), progress.percent.map(|percent| percent.min(100))),
        _ => return None,
    })
}
