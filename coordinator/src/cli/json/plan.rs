use heeler_proto::v1::irreversible::Act;
use heeler_proto::v1::{
    Blocked, DiskIdentity, Irreversible, NodePlan, OpPreview, PlanReply, StepReport, TaskPlan, Unmanaged,
};
use serde_json::{Value, json};

use super::{document, facts, word};

pub(in super::super) fn plan(reply: &PlanReply) -> Value {
    document(json!({
        "plan_id": reply.plan_id,
        "accepted_revision": reply.accepted_revision,
        "behind": reply.behind,
        "now_ms": reply.now_ms,
        "nodes": reply.nodes.iter().map(node).collect::<Vec<_>>(),
    }))
}

fn node(plan: &NodePlan) -> Value {
    json!({
        "node": plan.node,
        "tasks": plan.tasks.iter().map(task).collect::<Vec<_>>(),
        "enrolled": plan.enrolled,
        "revoked": plan.revoked,
        "released": plan.released,
        "pause": plan.pause.as_ref().map(super::pause),
        "offline_since_ms": plan.offline_since_ms,
        "error": plan.error,
        "line": plan.line,
        "left_out": plan.left_out,
        "unmanaged": plan.unmanaged.as_ref().map(unmanaged),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "facts": plan.facts.as_ref().map(facts),
    })
}

fn unmanaged(found: &Unmanaged) -> Value {
    json!({
        "pool": found.pool,
        "serials": found.serials,
        "backplane": found.backplane,
        "datasets": found.datasets,
    })
}

fn task(task: &TaskPlan) -> Value {
    json!({ "task_id": task.task_id, "kind": task.kind })
}

fn step(step: &StepReport) -> Value {
    json!({
        "task": step.task,
        "step": step.step,
        "outcome": word(step.outcome().as_str_name(), "STEP_OUTCOME_"),
        "reason": step.reason,
        "retry_in_ms": step.retry_in_ms,
        "blocked": step.blocked.as_ref().map(blocked),
        "ops": step.ops.iter().map(op).collect::<Vec<_>>(),
    })
}

pub(in super::super) fn blocked(blocked: &Blocked) -> Value {
    json!({ "found": blocked.found, "why": blocked.why, "next": blocked.next })
}

fn op(op: &OpPreview) -> Value {
    json!({
        "kind": op.kind,
        "summary": op.summary,
        "before": op.before,
        "after": op.after,
        "irreversible": op.irreversible.as_ref().map(irreversible),
    })
}

fn irreversible(act: &Irreversible) -> Value {
    let disk = |disk: &DiskIdentity| json!({ "serial": disk.serial, "size_bytes": disk.size_bytes });
    match &act.act {
        Some(Act::CreatePool(create)) => {
            let properties = create
                .properties
                .iter()
                .map(|property| (property.name.clone(), property.value.clone().into()));
            json!({
                "act": "create pool",
                "pool": create.pool,
                "disks": create.disks.iter().map(disk).collect::<Vec<_>>(),
                "unread": create.unread,
                "properties": properties.collect::<serde_json::Map<_, _>>(),
            })
        }
        Some(Act::EraseContents(erase)) => json!({
            "act": "erase contents",
            "disk": erase.disk.as_ref().map(disk),
            "finding": erase.finding,
        }),
        Some(Act::ImportPool(import)) => json!({
            "act": "import pool",
            "guid": import.guid,
            "present": import.present.iter().map(disk).collect::<Vec<_>>(),
            "txgs": import.txgs,
            "missing": import.missing,
        }),
        Some(Act::LowerKeep(lower)) => json!({
            "act": "lower keep",
            "changes": lower.changes.iter().map(|change| json!({
                "dataset": change.dataset,
                "before": change.before,
                "after": change.after,
            })).collect::<Vec<_>>(),
            "victims": lower.victims.iter().map(|victim| json!({
                "name": victim.name,
                "guid": victim.guid,
            })).collect::<Vec<_>>(),
        }),
        None => json!({ "act": "unknown" }),
    }
}
