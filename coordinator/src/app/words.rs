use heeler_proto::v1::{self, event::Kind};

/// Every kind of event, the agent's and the coordinator's own.
pub const KINDS: [&str; 36] = [
    "accepted",
    "alarm",
    "authority",
    "connected",
    "drift",
    "enrolled",
    "failed",
    "lost",
    "network confirmed",
    "note",
    "op finished",
    "op started",
    "operator added",
    "operator revoked",
    "paused",
    "pool",
    "progress",
    "refused",
    "released",
    "removed",
    "renewed",
    "restored",
    "resumed",
    "revision",
    "revoked",
    "scrub",
    "skipped",
    "snapshot",
    "snapshots",
    "step finished",
    "step started",
    "taken over",
    "task finished",
    "task queued",
    "task started",
    "token",
];

/// The kind of an agent's event, as lists and filters name it.
pub(super) fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::TaskStarted(_) => "task started",
        Kind::StepStarted(_) => "step started",
        Kind::OpStarted(_) => "op started",
        Kind::OpFinished(_) => "op finished",
        Kind::StepFinished(_) => "step finished",
        Kind::Progress(_) => "progress",
        Kind::TaskFinished(_) => "task finished",
        Kind::Note(_) => "note",
        Kind::Snapshots(_) => "snapshots",
        Kind::Scrub(_) => "scrub",
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
        Kind::Scrub(run) => format!("scrub of {} {}: {}", run.pool, run.what, run.text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_event_kind_is_listed() {
        let all = [
            Kind::TaskStarted(v1::TaskStarted::default()),
            Kind::StepStarted(v1::StepStarted::default()),
            Kind::OpStarted(v1::OpStarted::default()),
            Kind::OpFinished(v1::OpFinished::default()),
            Kind::StepFinished(v1::StepFinished::default()),
            Kind::Progress(v1::Progress::default()),
            Kind::TaskFinished(v1::TaskFinished::default()),
            Kind::Note(v1::Note::default()),
            Kind::Snapshots(v1::SnapshotRun::default()),
            Kind::Scrub(v1::ScrubRun::default()),
        ];
        for one in all {
            assert!(KINDS.contains(&kind(&one)), "{}", kind(&one));
        }
    }
}
