use heeler_proto::v1::AuditEntry;
use jiff::tz::TimeZone;

use super::amount::date;
use super::table::{plain, table};
use super::{Ink, Line, Screen};

/// Entries of the audit log, in the given order.
#[must_use]
pub fn audit(entries: &[AuditEntry], zone: &TimeZone, _: Screen) -> Vec<Line> {
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
    table(
        &["ENTRY", "AT", "WHO", "NODE", "WHAT", "MORE"],
        entries.iter().map(row).collect(),
    )
}
