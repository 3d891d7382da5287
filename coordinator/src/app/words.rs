use heeler_proto::Word as _;
use heeler_proto::v1::{self, EventKind, event::Kind};
use heeler_store::{NodeState, Outcome, TaskState};

/// The end of a task that changed nothing that is known.
pub(super) fn ended(state: TaskState, reason: impl Into<String>) -> Outcome {
    Outcome {
        state,
        reason: reason.into(),
        blocked: None,
        changes: 0,
    }
}

pub(super) const fn kind(kind: &Kind) -> EventKind {
    match kind {
        Kind::TaskStarted(_) => EventKind::TaskStarted,
        Kind::StepStarted(_) => EventKind::StepStarted,
        Kind::OpStarted(_) => EventKind::OpStarted,
        Kind::OpFinished(_) => EventKind::OpFinished,
        Kind::StepFinished(_) => EventKind::StepFinished,
        Kind::Progress(_) => EventKind::Progress,
        Kind::TaskFinished(_) => EventKind::TaskFinished,
        Kind::Note(_) => EventKind::Note,
        Kind::Snapshots(_) => EventKind::Snapshots,
        Kind::Scrub(_) => EventKind::Scrub,
    }
}

/// A stored state, as it goes over the wire.
pub(super) const fn node_state(state: NodeState) -> v1::NodeState {
    match state {
        NodeState::New => v1::NodeState::New,
        NodeState::Enrolled => v1::NodeState::Enrolled,
        NodeState::Revoked => v1::NodeState::Revoked,
        NodeState::Released => v1::NodeState::Released,
    }
}

/// A stored state, as it goes over the wire.
pub(super) const fn task_state(state: TaskState) -> v1::TaskState {
    match state {
        TaskState::Queued => v1::TaskState::Queued,
        TaskState::Sent => v1::TaskState::Sent,
        TaskState::Running => v1::TaskState::Running,
        TaskState::Done => v1::TaskState::Done,
        TaskState::Blocked => v1::TaskState::Blocked,
        TaskState::Failed => v1::TaskState::Failed,
        TaskState::Refused => v1::TaskState::Refused,
    }
}

/// What happened, as one line for a person.
pub(super) fn text(kind: &Kind) -> String {
    match kind {
        Kind::TaskStarted(task) if task.resumed => "continued after an interruption".to_owned(),
        Kind::TaskStarted(task) => format!("starts: {} steps", task.steps.len()),
        Kind::StepStarted(step) => format!("{}: looking", step.step),
        Kind::OpStarted(op) if op.irreversible => format!("{}: {} (irreversible)", op.step, op.summary),
        Kind::OpStarted(op) => format!("{}: {}", op.step, op.summary),
        Kind::OpFinished(op) if op.ok => format!("{}: {}: done", op.step, op.summary),
        Kind::OpFinished(op) => format!("{}: {}: {}", op.step, op.summary, op.error),
        Kind::StepFinished(step) => {
            let outcome = outcome(step.outcome());
            let why = if step.reason.is_empty() {
                String::new()
            } else {
                format!(" ({})", step.reason)
            };
            format!("{}: {outcome}{why}", step.step)
        }
        Kind::Progress(progress) => format!("{}: {}", progress.step, progress.text),
        Kind::TaskFinished(task) => finished(task),
        Kind::Note(note) => note.text.clone(),
        Kind::Snapshots(run) => round(run),
        Kind::Scrub(run) => format!("scrub of {} {}: {}", run.pool, run.what().word(), run.text)
            .trim_end_matches(": ")
            .to_owned(),
    }
}

/// A round of the snapshot schedule, or several that the agent has summed up.
fn round(run: &v1::SnapshotRun) -> String {
    let mut said = Vec::new();
    match run.taken.as_slice() {
        [] => {}
        [one] => said.push(format!("took {one}")),
        [first, ..] => said.push(format!("took {} snapshots, {first}…", run.taken.len())),
    }
    if run.pruned > 0 {
        said.push(format!("pruned {}", run.pruned));
    }
    if run.runs > 1 {
        said.push(format!("in {} rounds while no coordinator was connected", run.runs));
    }
    said.extend(run.problems.iter().cloned());
    said.join("; ")
}

fn outcome(outcome: v1::StepOutcome) -> &'static str {
    match outcome {
        v1::StepOutcome::Satisfied => "holds",
        v1::StepOutcome::Change => "changed",
        v1::StepOutcome::After => "waits for another step",
        v1::StepOutcome::Retry => "not yet",
        v1::StepOutcome::NotApplicable => "does not apply",
        v1::StepOutcome::Blocked => "blocked",
        v1::StepOutcome::Unspecified => "over",
    }
}

fn finished(task: &v1::TaskFinished) -> String {
    let changes = match task.changes {
        0 => "nothing was changed".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    };
    match (task.outcome(), &task.blocked) {
        (v1::TaskOutcome::Done, _) => format!("done: {changes}"),
        (v1::TaskOutcome::Blocked, Some(blocked)) => format!("blocked: {}. {}", blocked.found, blocked.advice("")),
        (v1::TaskOutcome::Blocked, None) => format!("blocked: {}", task.reason),
        (v1::TaskOutcome::Refused, _) => format!("refused: {}", task.reason),
        (v1::TaskOutcome::Failed | v1::TaskOutcome::Unspecified, _) => format!("failed: {}", task.reason),
    }
}
