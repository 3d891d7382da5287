use heeler_proto::v1::{SnapshotAnswer, SnapshotRow, SnapshotStand};
use serde_json::{Value, json};

use super::document;

pub(super) fn stand(stand: &SnapshotStand) -> Value {
    json!({
        "dataset": stand.dataset,
        "newest_ms": stand.newest_ms,
        "due_ms": stand.due_ms,
        "ours": stand.ours,
        "total": stand.total,
    })
}

/// A node's snapshots, each with the reason why it is kept or pruned.
pub(in super::super) fn snapshots(node: &str, rows: &[SnapshotRow], no_pruning: &str) -> Value {
    document(json!({
        "node": node,
        "no_pruning": no_pruning,
        "snapshots": rows.iter().map(row).collect::<Vec<_>>(),
    }))
}

fn row(row: &SnapshotRow) -> Value {
    json!({
        "snapshot": format!("{}@{}", row.dataset, row.name),
        "dataset": row.dataset,
        "name": row.name,
        "guid": row.guid,
        "created_ms": row.created_ms,
        "used_bytes": row.used_bytes,
        "holds": row.holds,
        "tags": row.tags,
        "clones": row.clones,
        "classes": row.classes,
        "prune": row.prune,
        "reason": row.reason,
        "path": row.path,
    })
}

/// The files that differ between two snapshots.
pub(in super::super) fn diff(answer: &SnapshotAnswer) -> Value {
    let line = |line: &heeler_proto::v1::DiffLine| json!({ "change": line.change, "path": line.path, "new_path": line.new_path });
    document(json!({
        "changes": answer.diff.iter().map(line).collect::<Vec<_>>(),
        "cut": answer.diff_cut,
    }))
}
