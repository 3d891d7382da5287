use heeler_proto::v1::Revision;
use jiff::tz::TimeZone;

use super::amount::{count, date};
use super::{Ink, Line};

/// Number, time and operator of the accepted revision.
pub fn revision(revision: &Revision, zone: &TimeZone) -> Line {
    let commit = match (revision.git_commit.as_str(), revision.dirty_lines) {
        ("", _) => String::new(),
        (commit, 0) => format!(" · {commit}"),
        (commit, dirty) => format!(" · {commit} + {}", count(dirty as usize, "uncommitted line")),
    };
    let at = date(revision.accepted_at_ms, zone);
    Line::new()
        .ink(Ink::Bold, format!("revision {}", revision.number))
        .plain(format!("{commit} · accepted {at} by {}", revision.operator))
}
