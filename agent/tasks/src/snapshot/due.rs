use heeler_host::zfs::Snapshot;
use heeler_proto::Keep;

use super::{Classes, calendar};

/// How far a snapshot may lie in the future: a clock correction may go back a little.
const SLACK_S: u64 = 60;

/// What a dataset is due for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The classes that are due; one snapshot serves all of them. Empty when none is.
    pub classes: Classes,
    /// Start of the oldest period without a snapshot, Unix seconds; None when none is due.
    pub since_s: Option<u64>,
    /// When the next snapshot is due, Unix seconds; None when none is kept.
    pub next_s: Option<u64>,
}

/// The classes without a snapshot in their present period. After an outage that is one snapshot, not one for each
/// missed period. A snapshot from the future does not count, because the clock was wrong.
pub fn due(snapshots: &[Snapshot], keep: &Keep, now_s: u64) -> Due {
    let mut newest = [None::<u64>; 6];
    let past = snapshots
        .iter()
        .filter(|snapshot| snapshot.created_s <= now_s.saturating_add(SLACK_S));
    for (snapshot, mark) in past.filter_map(|snapshot| Some((snapshot, snapshot.mark.as_ref()?))) {
        for class in Classes::read(mark).iter() {
            let newest = &mut newest[class as usize];
            *newest = (*newest).max(Some(snapshot.created_s));
        }
    }
    let minutes = keep.frequent_minutes();
    let missing = keep.classes().filter(|class| {
        let begun = calendar::start(*class, minutes, now_s);
        newest[*class as usize].is_none_or(|newest| newest < begun)
    });
    let classes = Classes::of(missing);
    let after = |class| newest[class as usize].map(|newest| calendar::next(class, minutes, newest));
    // For a class without any snapshot the shortest period gives the latest start.
    let never = || Some(calendar::start(classes.iter().next()?, minutes, now_s));
    Due {
        classes,
        since_s: classes.iter().filter_map(after).min().or_else(never),
        next_s: next_due_s(keep, now_s),
    }
}

/// Start of the next period of any class, Unix seconds; None when none is kept.
pub fn next_due_s(keep: &Keep, now_s: u64) -> Option<u64> {
    let minutes = keep.frequent_minutes();
    keep.classes().map(|class| calendar::next(class, minutes, now_s)).min()
}

#[cfg(test)]
mod tests {
    use heeler_proto::Class;

    use super::*;
    use crate::snapshot::keep_set::tests::{HOUR, NOW, foreign, ours};

    fn keep() -> Keep {
        Keep::new([0, 24, 14, 0, 0, 0], 0).unwrap()
    }

    fn classes(snapshots: &[Snapshot], now_s: u64) -> Vec<Class> {
        due(snapshots, &keep(), now_s).classes.iter().collect()
    }

    #[test]
    fn a_dataset_without_snapshots_is_due_for_everything_in_one() {
        assert_eq!(classes(&[], NOW), [Class::Hourly, Class::Daily]);
        assert_eq!(due(&[], &Keep::default(), NOW).next_s, None);
        assert!(due(&[], &Keep::default(), NOW).classes.is_empty());
    }

    #[test]
    fn extreme_times_and_counts_do_not_overflow() {
        use heeler_proto::{KeepScrubs, PoolName, ScrubEvery};

        use crate::snapshot::{keep_set, scrub};
        // The last second of the year 9999, and the last one that fits in milliseconds.
        let times = [0, 1, 86_400, NOW, 253_402_300_799, u64::MAX / 1000];
        let most = Keep::new([Keep::MOST; 6], 30).unwrap();
        let snapshots: Vec<_> = (1..)
            .zip(times)
            .map(|(txg, at_s)| ours(txg, at_s, "hourly,yearly"))
            .collect();
        for now_s in times {
            assert!(due(&snapshots, &most, now_s).next_s.is_some());
            assert!(!due(&[], &most, now_s).classes.is_empty());
            assert!(next_due_s(&most, now_s) > Some(now_s));
            assert_eq!(
                keep_set::decisions(&snapshots, Some(&most), &[], now_s).len(),
                snapshots.len()
            );
            for (every, day) in [
                (ScrubEvery::Month, 28),
                (ScrubEvery::Week, 7),
                (ScrubEvery::Month, 1),
                // A message cannot have these numbers, but a file could.
                (ScrubEvery::Month, 0),
                (ScrubEvery::Week, 0),
                (ScrubEvery::Month, u32::MAX),
                (ScrubEvery::Week, u32::MAX),
            ] {
                let pool = PoolName::new("data").unwrap();
                let wanted = KeepScrubs {
                    pool,
                    every,
                    day,
                    hour: 23,
                };
                for last_s in times {
                    assert!(last_s < now_s || !scrub::is_due(&wanted, last_s, now_s));
                }
            }
        }
    }

    #[test]
    fn one_snapshot_serves_its_period() {
        let taken = [ours(1, NOW, "hourly,daily")];
        assert_eq!(classes(&taken, NOW), []);
        assert_eq!(due(&taken, &keep(), NOW).next_s, Some(NOW - NOW % HOUR + HOUR));
        assert_eq!(classes(&taken, NOW + HOUR), [Class::Hourly]);
        assert_eq!(classes(&taken, NOW + 7 * 24 * HOUR), [Class::Hourly, Class::Daily]);
        let since = |snapshots: &[Snapshot], now_s| due(snapshots, &keep(), now_s).since_s;
        let hour = NOW - NOW % HOUR;
        assert_eq!(since(&taken, NOW), None);
        for later in [HOUR, 3 * HOUR, 7 * 24 * HOUR] {
            assert_eq!(
                since(&taken, NOW + later),
                Some(hour + HOUR),
                "it does not move with the time"
            );
        }
        assert_eq!(since(&[], NOW), Some(hour));
        let day = NOW - NOW % (24 * HOUR);
        assert_eq!(since(&[ours(1, hour, "hourly")], NOW), Some(day));
    }

    #[test]
    fn only_own_current_snapshots_of_the_class_count() {
        let future = ours(2, NOW + 365 * 24 * HOUR, "hourly,daily");
        assert_eq!(classes(&[foreign(1, NOW), future], NOW), [Class::Hourly, Class::Daily]);
        assert_eq!(classes(&[ours(1, NOW, "manual")], NOW), [Class::Hourly, Class::Daily]);
        assert_eq!(classes(&[ours(1, NOW, "daily")], NOW), [Class::Hourly]);
    }
}
