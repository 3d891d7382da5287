//! Decides when a pool is scrubbed, and whether that is possible now. Pure, except for [`begin`].

use heeler_host::zpool::{self, PoolStatus};
use heeler_host::{RunError, System};
use heeler_proto::{KeepScrubs, ScrubEvery};

use super::calendar::Utc;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// How long after its hour a scrub may start. A missed one waits for the node's own day of the week, so that after a
/// power cut the nodes of a cluster do not all scrub at once.
const WINDOW: u64 = 6 * HOUR;

/// The last and the next time of the schedule, Unix seconds; None when there is none.
pub fn slots(task: &KeepScrubs, now_s: u64) -> Option<(u64, u64)> {
    let (day, at) = (u64::from(task.day), u64::from(task.hour) * HOUR);
    match task.every {
        ScrubEvery::Never => None,
        ScrubEvery::Week => {
            // Day 1 is Monday, and 5 January 1970 was a Monday.
            let first = (3 + day) * DAY + at;
            let weeks = now_s.checked_sub(first)? / (7 * DAY);
            let last = first + weeks * 7 * DAY;
            Some((last, last + 7 * DAY))
        }
        ScrubEvery::Month => {
            let of = |month: Utc| month.seconds() + day.saturating_sub(1) * DAY + at;
            let first = |year, month| Utc {
                year,
                month,
                day: 1,
                hour: 0,
                minute: 0,
                second: 0,
            };
            let now = Utc::of(now_s);
            let this = of(first(now.year, now.month));
            let after = if now.month == 12 {
                first(now.year + 1, 1)
            } else {
                first(now.year, now.month + 1)
            };
            let before = if now.month == 1 {
                first(now.year.max(1971) - 1, 12)
            } else {
                first(now.year, now.month - 1)
            };
            Some(if this <= now_s {
                (this, of(after))
            } else {
                (of(before), this)
            })
        }
    }
}

/// Whether a scrub is due. `last_s` is when the last known one began or ended, or since when the pool is on the
/// schedule, Unix seconds.
pub fn is_due(task: &KeepScrubs, last_s: u64, now_s: u64) -> bool {
    let Some((slot, _)) = slots(task, now_s).filter(|(slot, _)| last_s < *slot && *slot <= now_s) else {
        return false;
    };
    let of_day = now_s % DAY;
    let hour = u64::from(task.hour) * HOUR;
    // The weekday comes from `day`, not from the missed time, because the missed times of two nodes may be on the
    // same weekday. 1 January 1970 was a Thursday.
    let own_weekday = (now_s / DAY + 4) % 7 == u64::from(task.day) % 7;
    let in_window = (hour..hour + WINDOW).contains(&of_day);
    now_s < slot + WINDOW || (own_weekday && in_window)
}

/// How long after the last scrub the next one is overdue, in seconds; None without a schedule.
pub const fn overdue_s(task: &KeepScrubs) -> Option<u64> {
    match task.every {
        ScrubEvery::Month => Some(38 * DAY),
        ScrubEvery::Week => Some(15 * DAY),
        ScrubEvery::Never => None,
    }
}

/// Why the pool cannot be scrubbed now; None when it can.
pub fn obstacle(pool: &PoolStatus) -> Option<String> {
    let scanning = pool.scan.as_ref().filter(|scan| scan.state == "SCANNING");
    match scanning {
        Some(scan) if scan.function == "RESILVER" => Some(format!("{} resilvers", pool.name)),
        Some(scan) if scan.paused => Some(format!(
            "somebody has paused a scrub of {0}; to continue it: zpool scrub {0}",
            pool.name
        )),
        Some(_) => Some(format!("{} is being scrubbed", pool.name)),
        None if pool.state != "ONLINE" => Some(format!("{} is {}", pool.name, pool.state)),
        None => None,
    }
}

/// Progress of a running scrub: percent plus 1, so 1 to 101. 0 when none runs.
pub fn percent(pool: &PoolStatus) -> u32 {
    let running = pool.scan.as_ref();
    running
        .filter(|scan| scan.function == "SCRUB" && scan.state == "SCANNING")
        .map_or(0, |scan| {
            let all = scan.to_examine_bytes.saturating_sub(scan.skipped_bytes).max(1);
            u32::try_from(scan.issued_bytes.min(all).saturating_mul(100) / all).unwrap_or(100) + 1
        })
}

/// When the last scrub finished, Unix seconds; None when it did not finish, or the last scan was a resilver.
pub fn finished_s(pool: &PoolStatus) -> Option<u64> {
    let over = pool.scan.as_ref();
    over.filter(|scan| scan.function == "SCRUB" && scan.state == "FINISHED")
        .map(|scan| scan.end_s)
}

/// Starts a scrub. Fails when `zpool scrub` fails.
pub async fn begin(host: &dyn System, pool: &str) -> Result<(), RunError> {
    let command = zpool::scrub_command(pool);
    let output = host.run(&command).await?;
    match output.ok() {
        true => Ok(()),
        false => Err(RunError::failed(&command, &output)),
    }
}

#[cfg(test)]
mod tests {
    use heeler_proto::PoolName;

    use super::*;

    /// Sunday, 1 March 2026, 12:34:56.
    const NOW: u64 = 1_772_368_496;
    const TODAY: u64 = NOW / DAY * DAY;

    fn task(every: ScrubEvery, day: u32) -> KeepScrubs {
        let pool = PoolName::new("data").unwrap();
        KeepScrubs {
            pool,
            every,
            day,
            hour: 2,
        }
    }

    #[test]
    fn the_scrub_hour_comes_once_a_period() {
        let (last, next) = slots(&task(ScrubEvery::Month, 28), NOW).unwrap();
        assert_eq!(
            (Utc::of(last).stamp().as_str(), Utc::of(next).stamp().as_str()),
            ("20260228T020000Z", "20260328T020000Z")
        );
        let (last, next) = slots(&task(ScrubEvery::Month, 1), NOW).unwrap();
        assert_eq!(
            (Utc::of(last).stamp().as_str(), Utc::of(next).stamp().as_str()),
            ("20260301T020000Z", "20260401T020000Z")
        );
        let (last, next) = slots(&task(ScrubEvery::Week, 7), NOW).unwrap();
        assert_eq!(
            (Utc::of(last).stamp().as_str(), Utc::of(next).stamp().as_str()),
            ("20260301T020000Z", "20260308T020000Z")
        );
        assert_eq!(slots(&task(ScrubEvery::Never, 0), NOW), None);
    }

    #[test]
    fn a_scrub_stays_due_until_it_is_done() {
        let today = task(ScrubEvery::Month, 1);
        let hour = TODAY + 2 * HOUR;
        assert!(is_due(&today, 0, hour));
        assert!(is_due(&today, 0, hour + WINDOW - 1));
        assert!(!is_due(&today, hour, hour + 60));
        assert!(
            !is_due(&today, 0, hour - 1),
            "February's was missed, and its weekday is not today's hour yet"
        );
    }

    #[test]
    fn a_missed_scrub_waits_for_its_weekday() {
        let missed = task(ScrubEvery::Month, 1);
        let slot = TODAY + 2 * HOUR;
        let due: Vec<u64> = (0..14 * 24)
            .filter(|hour| is_due(&missed, 0, slot + hour * HOUR))
            .collect();
        let window = |from: u64| (from..from + 6).collect::<Vec<_>>();
        // That was a Sunday; day 1 is Monday.
        assert_eq!(due, [window(0), window(24), window(8 * 24)].concat());
        let week = task(ScrubEvery::Week, 7);
        let due = (1..14 * 24).filter(|hour| is_due(&week, 0, slot + hour * HOUR));
        assert_eq!(due.collect::<Vec<u64>>(), [(1..6).collect(), window(7 * 24)].concat());
        // The first seven nodes of heeler.toml.
        let nodes = [1, 17, 9, 25, 5, 21, 13];
        for day in 0..400 {
            let now_s = slot + day * 24 * HOUR;
            let late = |day: &&u32| {
                let of = task(ScrubEvery::Month, **day);
                let missed = slots(&of, now_s).is_some_and(|(slot, _)| now_s >= slot + WINDOW);
                missed && is_due(&of, 0, now_s)
            };
            assert!(nodes.iter().filter(late).count() <= 1, "day {day}");
        }
    }
}
