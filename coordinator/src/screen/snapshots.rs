use heeler_proto::v1::{DiffLine, SnapshotAnswer, SnapshotRow};
use jiff::tz::TimeZone;

use super::amount::{count, date, gibibytes};
use super::line::hang;
use super::{Ink, Line, Screen};

/// A node's snapshots by dataset, newest last: time, own size, and why they are kept.
#[must_use]
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
        lines.extend(row(one, zone, screen));
    }
    lines
}

/// The name is never broken, so that it can be copied. Cells that do not fit go below it.
fn row(one: &SnapshotRow, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let (sign, ink) = if one.prune {
        ("- ", Ink::Red)
    } else {
        ("  ", Ink::Plain)
    };
    let at = Line::new()
        .ink(ink, format!("  {sign}"))
        .ink(Ink::Dim, date(one.created_ms, zone))
        .plain(format!("  {:>8}  ", gibibytes(one.used_bytes)))
        .ink(ink, &one.name);
    let beside = at.clone().plain("  ").ink(Ink::Dim, &one.reason);
    match beside.width() <= screen.width {
        true => vec![beside],
        false => {
            let mut lines = vec![at];
            lines.extend(hang(Line::of(" ".repeat(32)), Ink::Dim, &one.reason, screen));
            lines
        }
    }
}

/// Files that differ between two snapshots.
#[must_use]
pub fn snapshot_diff(answer: &SnapshotAnswer) -> Vec<Line> {
    let line = |one: &DiffLine| {
        let (ink, path) = match one.change.as_str() {
            "+" => (Ink::Green, one.path.clone()),
            "-" => (Ink::Red, one.path.clone()),
            "R" => (Ink::Amber, format!("{} -> {}", one.path, one.new_path)),
            _ => (Ink::Amber, one.path.clone()),
        };
        Line::new().ink(ink, format!("{} ", one.change)).plain(path)
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
