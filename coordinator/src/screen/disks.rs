use heeler_proto::v1::{DiskRecord, DiskUse};

use super::amount::decimal;
use super::table::{plain, table};
use super::{Ink, Line};

/// Disks on record, the absent ones too.
pub fn disks(disks: &[DiskRecord]) -> Vec<Line> {
    if disks.is_empty() {
        return vec![Line::of("No disk has been seen. Next: heeler node list")];
    }
    let row = |record: &DiskRecord| {
        let disk = record.disk.clone().unwrap_or_default();
        let (ink, what) = match (record.present, disk.r#use()) {
            (false, _) => (Ink::Red, "GONE"),
            (true, DiskUse::Blank) => (Ink::Green, "free"),
            (true, DiskUse::Pool) => (Ink::Plain, "pool"),
            (true, DiskUse::System) => (Ink::Plain, "system"),
            (true, DiskUse::Foreign) => (Ink::Amber, "foreign"),
            (true, DiskUse::Unspecified) => (Ink::Plain, "?"),
        };
        vec![
            (Ink::Bold, record.node.clone()),
            plain(disk.slot),
            plain(disk.serial),
            plain(decimal(disk.size_bytes)),
            (ink, what.into()),
            plain(disk.finding),
        ]
    };
    table(
        &["NODE", "SLOT", "SERIAL", "SIZE", "USE", "FOUND"],
        disks.iter().map(row).collect(),
    )
}
