//! Replies as JSON. Names are those of the .proto files, enums lower-case words, times Unix milliseconds (`…_ms`),
//! sizes bytes (`…_bytes`), guids decimal strings. Keys may be added; a renamed key needs a new `schema` number.

mod event;
mod node;
mod plan;
mod snapshot;

use heeler_proto::v1;
use serde_json::{Value, json};

use super::Exit;
use crate::config::ConfigError;

pub(super) use event::fleet_event;
pub(super) use node::{disk_record, facts, node, pause};
pub(super) use plan::{blocked, plan};
pub(super) use snapshot::{diff, snapshots};

/// Number of the schema in every document.
const SCHEMA: u32 = 1;

/// A document with the schema and a list under `name`.
pub(super) fn list(name: &str, all: impl Iterator<Item = Value>) -> Value {
    let all: Vec<Value> = all.collect();
    json!({ "schema": SCHEMA, name: all })
}

/// Adds the schema to a document.
pub(super) fn document(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.insert("schema".into(), SCHEMA.into());
    }
    value
}

/// An error document: the first line of `text` says what failed, the others what to type.
pub(super) fn error(text: &str, exit: Exit, mistakes: &[ConfigError]) -> Value {
    let (message, next) = text.split_once('\n').unwrap_or((text, ""));
    let mistakes = mistakes.iter().map(|mistake| {
        json!({
            "line": mistake.place.line,
            "column": mistake.place.column,
            "message": mistake.message,
            "hint": mistake.hint,
        })
    });
    let mistakes: Vec<Value> = mistakes.collect();
    document(json!({
        "error": { "message": message, "next": next.trim(), "exit": exit as u8, "heeler_toml": mistakes },
    }))
}

/// `LIGHT_GREEN` becomes "green", `TASK_OUTCOME_DONE` "done".
fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase().replace('_', " ")
}

fn light(light: v1::Light) -> String {
    word(light.as_str_name(), "LIGHT_")
}

pub(super) fn status(reply: &v1::StatusReply) -> Value {
    let nodes = reply.nodes.iter().map(|node| {
        json!({
            "node": node.node,
            "light": light(node.light()),
            "connected": node.connected,
            "last_seen_ms": node.last_seen_ms,
            "pool": node.pool,
            "pool_percent": node.pool_percent,
            "links": node.links,
            "links_up": node.links_up,
            "legs_online": node.legs_online,
            "legs": node.legs,
            "last_scrub_ms": node.last_scrub_ms,
            "scrub_percent": node.scrub_percent,
            "scrub_overdue": node.scrub_overdue,
            "newest_snapshot_ms": node.newest_snapshot_ms,
            "snapshot_wanted": node.snapshot_wanted,
            "snapshot_overdue": node.snapshot_overdue,
            "config": node.config,
            "agent_version": node.agent_version,
            "task": node.task,
            "pause": node.pause.as_ref().map(pause),
        })
    });
    let alerts = reply.alerts.iter().map(
        |alert| json!({ "light": light(alert.light()), "node": alert.node, "text": alert.text, "next": alert.next }),
    );
    document(json!({
        "light": light(reply.light()),
        "summary": reply.summary,
        "nodes": nodes.collect::<Vec<_>>(),
        "alerts": alerts.collect::<Vec<_>>(),
        "next": reply.next,
        "now_ms": reply.now_ms,
        "revision": reply.revision,
    }))
}

pub(super) fn task(task: &v1::TaskInfo) -> Value {
    json!({
        "task_id": task.task_id,
        "node": task.node,
        "kind": task.kind,
        "state": task.state,
        "reason": task.reason,
        "blocked": task.blocked.as_ref().map(blocked),
        "revision": task.revision,
        "created_at_ms": task.created_at_ms,
        "finished_at_ms": task.finished_at_ms,
        "changes": task.changes,
        "operator": task.operator,
    })
}

pub(super) fn revision(revision: &v1::Revision) -> Value {
    let sha256: String = revision.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    document(json!({
        "number": revision.number,
        "text": revision.text,
        "sha256": sha256,
        "git_commit": revision.git_commit,
        "dirty_lines": revision.dirty_lines,
        "accepted_at_ms": revision.accepted_at_ms,
        "operator": revision.operator,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enum_is_a_lower_case_word() {
        assert_eq!(light(v1::Light::Green), "green");
        assert_eq!(
            word(v1::StepOutcome::NotApplicable.as_str_name(), "STEP_OUTCOME_"),
            "not applicable"
        );
        assert_eq!(
            word(v1::TaskOutcome::Unspecified.as_str_name(), "TASK_OUTCOME_"),
            "unspecified"
        );
    }
}
