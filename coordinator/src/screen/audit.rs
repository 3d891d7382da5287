use heeler_proto::v1::AuditEntry;
use jiff::tz::TimeZone;

use super::amount::date;
use super::line::hang;
use super::table::{plain, table};
use super::{Ink, Line, Screen};

/// Entries of the audit log, in the given order.
pub fn audit(entries: &[AuditEntry], zone: &TimeZone, screen: Screen) -> Vec<Line> {
    if entries.is_empty() {
        return vec![Line::of("The audit log is empty.")];
    }
    let row = |entry: &AuditEntry| {
        vec![
            (Ink::Dim, entry.seq.to_string()),
            plain(date(entry.at_ms, zone)),
            plain(&entry.operator),
            (Ink::Bold, entry.node.clone()),
            plain(match entry.action.as_str() {
                "handed out" => "task sent",
                action => action,
            }),
            plain(&entry.detail),
        ]
    };
    let mut rows: Vec<Vec<_>> = entries.iter().map(row).collect();
    let mut heads = vec!["ENTRY", "AT", "WHO", "NODE", "WHAT", "MORE"];
    let beside = table(&heads, rows.clone());
    if beside.iter().all(|line| line.width() <= screen.width) {
        return beside;
    }
    // MORE is beside every entry, or below every entry.
    heads.pop();
    let more: Vec<_> = rows
        .iter_mut()
        .map(|row| row.pop().unwrap_or_else(|| plain("")))
        .collect();
    let mut lines = table(&heads, rows).into_iter();
    let mut all: Vec<Line> = lines.next().into_iter().collect();
    for (line, (ink, text)) in lines.zip(more) {
        all.push(line);
        if !text.is_empty() {
            all.extend(hang(Line::of(" ".repeat(BELOW)), ink, &text, screen));
        }
    }
    all
}

/// Column of MORE when it is below the other columns.
const BELOW: usize = 7;
