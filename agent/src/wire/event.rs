use heeler_proto::v1;
use heeler_proto::v1::event::Kind;
use heeler_tasks::engine::{Event, Outcome, Scrub, StepEnd};

use super::facts::pool;
use super::schedule::snapshot_run;
use crate::journal::NumberedEvent;

pub fn event(numbered: NumberedEvent) -> v1::Event {
    v1::Event {
        seq: numbered.seq,
        at_ms: numbered.at_ms,
        task_id: numbered.task.map(Into::into).unwrap_or_default(),
        kind: Some(kind(numbered.event)),
    }
}

fn kind(event: Event) -> Kind {
    match event {
        Event::TaskStarted { steps, resumed } => Kind::TaskStarted(v1::TaskStarted { steps, resumed }),
        Event::StepStarted { step } => Kind::StepStarted(v1::StepStarted { step }),
        Event::OpStarted {
            step,
            summary,
            irreversible,
            reboot,
        } => Kind::OpStarted(v1::OpStarted {
            step,
            summary,
            irreversible,
            reboot,
        }),
        Event::OpFinished { step, summary, error } => Kind::OpFinished(v1::OpFinished {
            step,
            summary,
            ok: error.is_none(),
            error: error.unwrap_or_default(),
        }),
        Event::StepFinished {
            step,
            outcome,
            reason,
            changed,
        } => Kind::StepFinished(v1::StepFinished {
            step,
            outcome: step_outcome(outcome).into(),
            reason,
            changed,
        }),
        Event::Progress { step, text, percent } => Kind::Progress(v1::Progress {
            step,
            text,
            percent: percent.map(u32::from),
        }),
        Event::Snapshots(run) => Kind::Snapshots(snapshot_run(run)),
        Event::Scrub {
            pool,
            what,
            text,
            errors,
        } => Kind::Scrub(v1::ScrubRun {
            pool,
            what: scrub(what).into(),
            text,
            errors,
        }),
        Event::TaskFinished {
            outcome,
            changes,
            pools,
        } => Kind::TaskFinished(v1::TaskFinished {
            changes,
            pools: pools.into_iter().map(pool).collect(),
            ..finished(outcome)
        }),
    }
}

/// The protocol has no word for "failed": the reason and the task's outcome say it.
const fn step_outcome(end: StepEnd) -> v1::StepOutcome {
    match end {
        StepEnd::Satisfied => v1::StepOutcome::Satisfied,
        StepEnd::NotApplicable => v1::StepOutcome::NotApplicable,
        StepEnd::Blocked => v1::StepOutcome::Blocked,
        StepEnd::Failed => v1::StepOutcome::Unspecified,
    }
}

const fn scrub(what: Scrub) -> v1::ScrubChange {
    match what {
        Scrub::Started => v1::ScrubChange::Started,
        Scrub::Finished => v1::ScrubChange::Finished,
        Scrub::Stopped => v1::ScrubChange::Stopped,
        Scrub::PutOff => v1::ScrubChange::PutOff,
    }
}

fn finished(outcome: Outcome) -> v1::TaskFinished {
    let plain = |outcome: v1::TaskOutcome, reason: String| v1::TaskFinished {
        outcome: outcome.into(),
        reason,
        ..v1::TaskFinished::default()
    };
    match outcome {
        Outcome::Done => plain(v1::TaskOutcome::Done, String::new()),
        Outcome::Blocked { step, reason } => v1::TaskFinished {
            blocked: Some(reason.into()),
            ..plain(v1::TaskOutcome::Blocked, step)
        },
        Outcome::Failed { step, reason } => plain(v1::TaskOutcome::Failed, format!("{step}: {reason}")),
        Outcome::Refused { reason } => plain(v1::TaskOutcome::Refused, reason),
    }
}
