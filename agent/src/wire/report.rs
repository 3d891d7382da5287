use heeler_proto::v1;
use heeler_tasks::engine::{OpPreview, Seen, StepReport};

/// A step's preview as a message. `place` is the index of its task in the request.
pub fn step_report(report: StepReport, place: u32) -> v1::StepReport {
    let plain = |outcome: v1::StepOutcome, reason: String| v1::StepReport {
        step: report.step.to_owned(),
        outcome: outcome.into(),
        reason,
        task: place,
        ..v1::StepReport::default()
    };
    match report.seen {
        Seen::Satisfied => plain(v1::StepOutcome::Satisfied, String::new()),
        Seen::Change(ops) => v1::StepReport {
            ops: ops.into_iter().map(op).collect(),
            ..plain(v1::StepOutcome::Change, String::new())
        },
        Seen::After(step) => plain(v1::StepOutcome::After, step.to_owned()),
        Seen::Retry { after, why } => v1::StepReport {
            retry_in_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            ..plain(v1::StepOutcome::Retry, why)
        },
        Seen::NotApplicable(why) => plain(v1::StepOutcome::NotApplicable, why),
        Seen::Blocked(blocked) => v1::StepReport {
            blocked: Some(v1::Blocked {
                found: blocked.found,
                why: blocked.why,
                next: blocked.next,
            }),
            ..plain(v1::StepOutcome::Blocked, String::new())
        },
    }
}

fn op(op: OpPreview) -> v1::OpPreview {
    v1::OpPreview {
        kind: op.kind.to_owned(),
        summary: op.summary,
        before: op.before,
        after: op.after,
        irreversible: op.act.map(Into::into),
    }
}
