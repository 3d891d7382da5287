use heeler_proto::v1::event::Kind;
use heeler_proto::v1::{Event, FleetEvent};
use serde_json::{Value, json};

use super::node::pool;
use super::plan::blocked;
use super::snapshot::stand;
use super::word;

/// An event. `event` holds the agent's own event with its kind and fields.
pub(in super::super) fn fleet_event(event: &FleetEvent) -> Value {
    json!({
        "id": event.id,
        "at_ms": event.at_ms,
        "node": event.node,
        "task_id": event.task_id,
        "kind": event.kind,
        "text": event.text,
        "event": event.event.as_ref().map(agents),
    })
}

fn agents(event: &Event) -> Value {
    let (kind, mut fields) = match &event.kind {
        Some(Kind::TaskStarted(e)) => ("task started", json!({ "steps": e.steps, "resumed": e.resumed })),
        Some(Kind::StepStarted(e)) => ("step started", json!({ "step": e.step })),
        Some(Kind::OpStarted(e)) => (
            "op started",
            json!({ "step": e.step, "summary": e.summary, "irreversible": e.irreversible }),
        ),
        Some(Kind::OpFinished(e)) => (
            "op finished",
            json!({ "step": e.step, "summary": e.summary, "ok": e.ok, "error": e.error }),
        ),
        Some(Kind::StepFinished(e)) => (
            "step finished",
            json!({
                "step": e.step,
                "outcome": word(e.outcome().as_str_name(), "STEP_OUTCOME_"),
                "reason": e.reason,
                "changed": e.changed,
            }),
        ),
        Some(Kind::Progress(e)) => (
            "progress",
            json!({ "step": e.step, "text": e.text, "percent": e.percent }),
        ),
        Some(Kind::TaskFinished(e)) => (
            "task finished",
            json!({
                "outcome": word(e.outcome().as_str_name(), "TASK_OUTCOME_"),
                "reason": e.reason,
                "blocked": e.blocked.as_ref().map(blocked),
                "changes": e.changes,
                "pools": e.pools.iter().map(pool).collect::<Vec<_>>(),
            }),
        ),
        Some(Kind::Note(e)) => ("note", json!({ "level": e.level, "text": e.text })),
        Some(Kind::Snapshots(e)) => (
            "snapshots",
            json!({
                "taken": e.taken,
                "pruned": e.pruned,
                "pruned_names": e.pruned_names,
                "problems": e.problems,
                "runs": e.runs,
                "stands": e.stands.iter().map(stand).collect::<Vec<_>>(),
            }),
        ),
        Some(Kind::Scrub(e)) => (
            "scrub",
            json!({ "pool": e.pool, "what": e.what, "text": e.text, "errors": e.errors }),
        ),
        None => ("unknown", json!({})),
    };
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("kind".into(), kind.into());
        fields.insert("seq".into(), event.seq.into());
        fields.insert("at_ms".into(), event.at_ms.into());
    }
    fields
}
