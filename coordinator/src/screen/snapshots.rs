use heeler_proto::v1::{DiffLine, FileChange, SnapshotAnswer, SnapshotRow};
use jiff::tz::TimeZone;

use super::amount::{count, date, gibibytes};
use super::line::{hang, width};
use super::{Ink, Line, Screen};

/// A node's snapshots by dataset, newest last: time, own size, and why they are kept.
pub fn snapshots(
    node: &str,
    rows: &[SnapshotRow],
    prunable: bool,
    no_pruning: &str,
    zone: &TimeZone,
    screen: Screen,
) -> Vec<Line> {
    let what = match (rows.len(), prunable) {
        (0, true) => "nothing to prune".to_owned(),
        (many, true) => format!("the next rounds would prune {}", count(many, "snapshot")),
        (many, false) => count(many, "snapshot"),
    };
    let mut lines = vec![Line::new().ink(Ink::Bold, node).plain("  ").plain(what)];
    if !no_pruning.is_empty() {
        let head = Line::new().ink(Ink::Amber, "  nothing is pruned now: ");
        lines.extend(hang(head, Ink::Plain, no_pruning, screen));
    }
    let longest = rows.iter().map(|one| width(&one.name)).max().unwrap_or(0);
    let column = TEXT + longest + 2;
    // Reasons are all beside the names, or all below them.
    let beside = rows.iter().all(|one| column + width(&reason(one)) <= screen.width);
    let column = if beside { column } else { 0 };
    let mut dataset = "";
    for one in rows {
        if one.dataset != dataset {
            dataset = &one.dataset;
            lines.push(Line::new().ink(Ink::Bold, format!("  {dataset}")));
            let path = one.path.strip_suffix(one.name.as_str()).unwrap_or_default();
            if !path.is_empty() {
                lines.push(Line::new().ink(Ink::Dim, format!("  {path}NAME")));
            }
        }
        lines.extend(row(one, column, zone, screen));
    }
    lines
}

/// Column of a snapshot's name.
const TEXT: usize = 33;

/// The name is never broken, so that it can be copied. The reason is at `column`; with 0 it is below the name.
fn row(one: &SnapshotRow, column: usize, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let (sign, ink) = if one.prune {
        ("- ", Ink::Red)
    } else {
        ("  ", Ink::Plain)
    };
    let at = Line::new()
        .ink(ink, format!("  {sign}"))
        .ink(Ink::Dim, date(one.created_ms, zone))
        .plain(format!("  {:>9}", gibibytes(one.used_bytes)))
        .to(TEXT, 2)
        .ink(ink, &one.name);
    match column {
        1.. => vec![at.to(column, 2).ink(Ink::Dim, reason(one))],
        0 => {
            let mut lines = vec![at];
            lines.extend(hang(Line::of(" ".repeat(TEXT)), Ink::Dim, &reason(one), screen));
            lines
        }
    }
}

/// Why a snapshot is kept or pruned, with the tags that hold it.
fn reason(one: &SnapshotRow) -> String {
    let held = match (one.tags.as_slice(), one.holds) {
        (_, 0) => return one.reason.clone(),
        ([], holds) => format!("held by {}", count(holds as usize, "tag")),
        (tags, _) => format!("held: {}", tags.join(", ")),
    };
    match one.reason.as_str() {
        "" => held,
        reason => format!("{reason}; {held}"),
    }
}

/// Files that differ between two snapshots.
pub fn snapshot_diff(answer: &SnapshotAnswer) -> Vec<Line> {
    let line = |one: &DiffLine| {
        let (ink, letter) = match one.change() {
            FileChange::Made => (Ink::Green, "+ "),
            FileChange::Removed => (Ink::Red, "- "),
            FileChange::Renamed => (Ink::Amber, "R "),
            FileChange::Modified => (Ink::Amber, "M "),
            FileChange::Unspecified => (Ink::Amber, "? "),
        };
        let path = match one.change() {
            FileChange::Renamed => format!("{} -> {}", one.path, one.new_path),
            _ => one.path.clone(),
        };
        Line::new().ink(ink, letter).plain(path)
    };
    let mut lines: Vec<Line> = answer.diff.iter().map(line).collect();
    if answer.diff.is_empty() {
        lines.push(Line::of("No differences."));
    }
    if answer.diff_cut {
        lines.push(Line::new().ink(
            Ink::Amber,
            "There are more differences: on the node, zfs diff shows all of them.",
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_snapshot_shows_its_tags() {
        let shown = |why: &str, holds: u32, tags: &[&str]| {
            reason(&SnapshotRow {
                reason: why.into(),
                holds,
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..SnapshotRow::default()
            })
        };
        assert_eq!(
            shown("taken by a person", 1, &["keep"]),
            "taken by a person; held: keep"
        );
        assert_eq!(shown("", 2, &["keep", "backup"]), "held: keep, backup");
        assert_eq!(shown("taken by a person", 1, &[]), "taken by a person; held by 1 tag");
        assert_eq!(shown("hourly", 0, &[]), "hourly");
    }
}
