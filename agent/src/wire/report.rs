use heeler_proto::v1;
use heeler_tasks::engine::{Blocked, Key, OpPreview, Seen, StepReport};

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
        Seen::After(step) => v1::StepReport {
            after: step.to_owned(),
            ..plain(v1::StepOutcome::After, String::new())
        },
        Seen::Retry { after, why } => v1::StepReport {
            retry_in_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            ..plain(v1::StepOutcome::Retry, why)
        },
        Seen::NotApplicable(why) => plain(v1::StepOutcome::NotApplicable, why),
        Seen::Blocked(blocked) => v1::StepReport {
            blocked: Some(self::blocked(blocked)),
            ..plain(v1::StepOutcome::Blocked, String::new())
        },
    }
}

fn op(op: OpPreview) -> v1::OpPreview {
    v1::OpPreview {
        kind: op.kind.into(),
        meaning: op.meaning,
        summary: op.summary,
        before: op.before,
        after: op.after,
        irreversible: op.act.map(Into::into),
    }
}

/// Why a step is blocked, as a message.
pub fn blocked(blocked: Blocked) -> v1::Blocked {
    let mut wire = v1::Blocked {
        found: blocked.found,
        why: blocked.why,
        next: blocked.next,
        ..v1::Blocked::default()
    };
    if let Some(place) = blocked.place {
        (wire.item, wire.edit) = (place.item, place.edit);
        wire.set_key(match place.key {
            Key::Disks => v1::TomlKey::Disks,
            Key::PoolName => v1::TomlKey::PoolName,
            Key::ArcMax => v1::TomlKey::ArcMax,
            Key::Datasets => v1::TomlKey::Datasets,
            Key::Backplane => v1::TomlKey::Backplane,
            Key::Locale => v1::TomlKey::Locale,
        });
    }
    wire
}
