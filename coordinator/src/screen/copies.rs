use heeler_proto::v1::CopyInfo;
use jiff::tz::TimeZone;

use super::amount::{ago, date};
use super::table::{plain, table};
use super::{Ink, Line};

/// The node, time and size of each copy of the coordinator's state.
pub fn copies(copies: &[CopyInfo], now_ms: u64, zone: &TimeZone) -> Vec<Line> {
    let row = |copy: &CopyInfo| {
        vec![
            (Ink::Bold, copy.node.clone()),
            plain(date(copy.at_ms, zone)),
            plain(ago(copy.at_ms, now_ms)),
            plain(format!("{} KiB", copy.bytes.div_ceil(1024))),
        ]
    };
    table(&["NODE", "TAKEN", "AGE", "SIZE"], copies.iter().map(row).collect())
}
