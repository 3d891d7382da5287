//! The accepted schedule on the node's disk, which the agent uses without the coordinator. It is text, so that a plan
//! can show the difference.

use heeler_host::File;
use heeler_proto::{
    Class, Keep, KeepCopies, KeepScrubs, KeepSnapshots, PoolName, ScrubEvery, SnapshotPolicy, Spec as _,
};

/// Path of the snapshots' schedule.
pub const SNAPSHOTS: &str = "/var/lib/heeler-agent/schedule/snapshots";
/// Path of the scrubs' schedule.
pub const SCRUBS: &str = "/var/lib/heeler-agent/schedule/scrubs";
/// Path of the copies' schedule.
pub const COPIES: &str = "/var/lib/heeler-agent/schedule/copies";

const SNAPSHOTS_HEAD: &str = "heeler snapshots 1";
const SCRUBS_HEAD: &str = "heeler scrubs 1";
const COPIES_HEAD: &str = "heeler copies 1";
/// After the number of copies.
const DAILY: &str = "copies, one a day";
/// Precedes a pool's guid in a line.
const GUID: &str = "guid ";
/// Day 1 is Monday.
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The accepted schedule of snapshots, with the pools that it is for: another pool of the same name does not count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshots {
    /// The counts for each dataset.
    pub task: KeepSnapshots,
    /// Name and guid of each pool; empty in a file of an earlier version.
    pub pools: Vec<(String, u64)>,
}

impl Snapshots {
    /// The guid that the pool must have; None when the file does not say.
    pub fn guid(&self, pool: &str) -> Option<u64> {
        let named = self.pools.iter().find(|(name, _)| name == pool);
        named.map(|(_, guid)| *guid)
    }
}

/// A schedule file that Heeler did not write, or an incomplete one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} is not a schedule of this version (line {line}): heeler apply writes it again")]
pub struct Unreadable {
    /// Path of the file.
    pub path: &'static str,
    /// Number of the first wrong line, from 1.
    pub line: usize,
}

/// The file for this schedule of snapshots.
pub fn snapshots_file(accepted: &Snapshots) -> File {
    let policies = &accepted.task.policies;
    let width = policies.iter().map(|policy| policy.dataset.len()).max().unwrap_or(0);
    let mut text = format!("{SNAPSHOTS_HEAD}\n");
    for (pool, guid) in &accepted.pools {
        text += &format!("{pool:width$}  {GUID}{guid}\n");
    }
    for policy in policies {
        text += &format!("{:width$}  {}\n", policy.dataset, policy.keep);
    }
    File::text(SNAPSHOTS, text)
}

/// The file for this schedule of scrubs.
pub fn scrubs_file(task: &KeepScrubs) -> File {
    let (pool, day, hour) = (&task.pool, task.day, task.hour);
    let text = match task.every {
        ScrubEvery::Month => format!("day {day} of each month, {hour:02}:00 UTC"),
        ScrubEvery::Week => format!("every {}, {hour:02}:00 UTC", weekday(day)),
        ScrubEvery::Never => "never".to_owned(),
    };
    File::text(SCRUBS, format!("{SCRUBS_HEAD}\n{pool}  {text}\n"))
}

/// The file for this schedule of copies.
pub fn copies_file(task: &KeepCopies) -> File {
    let text = match task.keep {
        0 => "none".to_owned(),
        keep => format!("{keep} {DAILY}"),
    };
    File::text(COPIES, format!("{COPIES_HEAD}\n{}  {text}\n", task.pool))
}

fn weekday(day: u32) -> &'static str {
    WEEKDAYS[(day as usize + 6) % 7]
}

/// Reads the text that [`snapshots_file`] wrote. Fails at the first line that is different.
pub fn snapshots(text: &str) -> Result<Snapshots, Unreadable> {
    let mut read = Snapshots::default();
    for (line, (name, says)) in rows(SNAPSHOTS, SNAPSHOTS_HEAD, text, says)? {
        let policies = &mut read.task.policies;
        let last = policies.last().map(|last| &last.dataset);
        match says {
            Says::Guid(guid) => read.pools.push((name, guid)),
            Says::Keep(_) if last.is_some_and(|last| *last >= name) => {
                return Err(Unreadable { path: SNAPSHOTS, line });
            }
            Says::Keep(keep) => policies.push(SnapshotPolicy { dataset: name, keep }),
        }
    }
    Ok(read)
}

/// Reads the text that [`scrubs_file`] wrote, also that of an earlier version. Fails at the first line that is
/// different.
pub fn scrubs(text: &str) -> Result<KeepScrubs, Unreadable> {
    only(SCRUBS, rows(SCRUBS, SCRUBS_HEAD, text, scrub)?)
}

/// Reads the text that [`copies_file`] wrote. Fails at the first line that is different.
pub fn copies(text: &str) -> Result<KeepCopies, Unreadable> {
    only(COPIES, rows(COPIES, COPIES_HEAD, text, copy)?)
}

/// The one row of a file that has one.
fn only<T>(path: &'static str, mut rows: Vec<(usize, T)>) -> Result<T, Unreadable> {
    match (rows.pop(), rows.pop()) {
        (Some((_, only)), None) => Ok(only),
        (_, more) => Err(Unreadable {
            path,
            line: if more.is_some() { 3 } else { 2 },
        }),
    }
}

fn rows<T>(
    path: &'static str,
    head: &str,
    text: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<(usize, T)>, Unreadable> {
    let mut lines = (1..).zip(text.lines());
    // An incomplete file lacks the end of its last line.
    if lines.next().is_none_or(|(_, line)| line != head) || !text.ends_with('\n') {
        return Err(Unreadable { path, line: 1 });
    }
    lines
        .map(|(line, row)| read(row).map(|row| (line, row)).ok_or(Unreadable { path, line }))
        .collect()
}

enum Says {
    Guid(u64),
    Keep(Keep),
}

fn says(row: &str) -> Option<(String, Says)> {
    let (name, rest) = row.split_once("  ")?;
    let rest = rest.trim_start();
    let says = match rest.strip_prefix(GUID) {
        Some(guid) => Says::Guid(guid.parse().ok()?),
        None => Says::Keep(keep(rest)?),
    };
    Some((name.to_owned(), says))
}

fn keep(text: &str) -> Option<Keep> {
    if text == "nothing" {
        return Some(Keep::default());
    }
    let (mut counts, mut minutes) = ([0; 6], 0);
    for part in text.split(", ") {
        let mut words = part.split(' ');
        let count = words.next()?.parse().ok()?;
        let word = words.next()?;
        let class = Class::ALL.into_iter().find(|class| class.word() == word)?;
        if class == Class::Frequent {
            minutes = words.next()?.strip_prefix('(')?.parse().ok()?;
            words.next().filter(|word| *word == "min)")?;
        }
        counts[class as usize] = count;
        if words.next().is_some() {
            return None;
        }
    }
    Keep::new(counts, minutes).ok()
}

fn scrub(row: &str) -> Option<KeepScrubs> {
    let (pool, rest) = row.split_once("  ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let (every, day, hour) = match words.as_slice() {
        ["never"] => (ScrubEvery::Never, 0, 0),
        ["day", day, "of", "each", "month,", time, "UTC"] | ["month", "day", day, "at", time, "UTC"] => {
            (ScrubEvery::Month, day.parse().ok()?, hour_of(time)?)
        }
        ["every", name, time, "UTC"] => {
            let day = (1..=7).find(|day| name.strip_suffix(',') == Some(weekday(*day)))?;
            (ScrubEvery::Week, day, hour_of(time)?)
        }
        ["week", "day", day, "at", time, "UTC"] => (ScrubEvery::Week, day.parse().ok()?, hour_of(time)?),
        _ => return None,
    };
    let pool = PoolName::new(pool).ok()?;
    let task = KeepScrubs { pool, every, day, hour };
    task.check().ok().map(|()| task)
}

fn copy(row: &str) -> Option<KeepCopies> {
    let (pool, rest) = row.split_once("  ")?;
    let keep = match rest {
        "none" => 0,
        some => some.strip_suffix(DAILY)?.strip_suffix(' ')?.parse().ok()?,
    };
    let pool = PoolName::new(pool).ok()?;
    let task = KeepCopies { pool, keep };
    task.check().ok().map(|()| task)
}

fn hour_of(time: &str) -> Option<u32> {
    time.strip_suffix(":00")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(file: &File) -> String {
        String::from_utf8(file.content.bytes().clone()).unwrap()
    }

    fn policy(dataset: &str, keep: Keep) -> SnapshotPolicy {
        SnapshotPolicy {
            dataset: dataset.into(),
            keep,
        }
    }

    fn accepted(policies: Vec<SnapshotPolicy>) -> Snapshots {
        Snapshots {
            task: KeepSnapshots { policies },
            pools: vec![("data".to_owned(), u64::MAX)],
        }
    }

    #[test]
    fn a_schedule_round_trips_as_readable_text() {
        let mut accepted = accepted(vec![
            policy("data/b", Keep::default()),
            policy("data/pve-files", Keep::new([4, 24, 0, 0, 6, 1], 15).unwrap()),
        ]);
        let text = text_of(&snapshots_file(&accepted));
        let expected = "heeler snapshots 1\ndata            guid 18446744073709551615\n\
             data/b          nothing\ndata/pve-files  4 frequent (15 min), 24 hourly, 6 monthly, 1 yearly\n";
        assert_eq!(text, expected);
        assert_eq!(snapshots(&text), Ok(accepted.clone()));
        accepted.pools.clear();
        let before = text.replace("data            guid 18446744073709551615\n", "");
        assert_eq!(snapshots(&before), Ok(accepted), "an earlier Heeler's");
    }

    #[test]
    fn a_scrub_schedule_names_its_day_in_words() {
        let task = |every, day| {
            let pool = PoolName::new("data").unwrap();
            KeepScrubs {
                pool,
                every,
                day,
                hour: 2,
            }
        };
        for (every, day, text) in [
            (ScrubEvery::Month, 7, "day 7 of each month, 02:00 UTC"),
            (ScrubEvery::Month, 7, "month day 7 at 02:00 UTC"),
            (ScrubEvery::Week, 1, "every Monday, 02:00 UTC"),
            (ScrubEvery::Week, 7, "every Sunday, 02:00 UTC"),
            (ScrubEvery::Week, 7, "week day 7 at 02:00 UTC"),
        ] {
            let text = format!("heeler scrubs 1\ndata  {text}\n");
            assert_eq!(scrubs(&text), Ok(task(every, day)), "{text}");
            let earlier = text.contains(" at ");
            assert_eq!(text_of(&scrubs_file(&task(every, day))) == text, !earlier, "{text}");
        }
    }

    #[test]
    fn a_schedule_of_copies_round_trips() {
        for (keep, says) in [(14, "14 copies, one a day"), (0, "none")] {
            let pool = PoolName::new("data").unwrap();
            let task = KeepCopies { pool, keep };
            let text = text_of(&copies_file(&task));
            assert_eq!(text, format!("heeler copies 1\ndata  {says}\n"));
            assert_eq!(copies(&text), Ok(task));
            assert!((0..text.len()).all(|cut| copies(&text[..cut]).is_err()), "{text}");
        }
        for bad in [
            "data  91 copies, one a day",
            "data  copies, one a day",
            "-x  none",
            "data  14",
        ] {
            assert!(copies(&format!("heeler copies 1\n{bad}\n")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_damaged_schedule_file_is_refused() {
        let task = accepted(vec![policy("data/a", Keep::usual()), policy("data/b", Keep::usual())]);
        let text = text_of(&snapshots_file(&task));
        for cut in 0..text.len() {
            let read = snapshots(&text[..cut]);
            assert!(read != Ok(task.clone()), "{cut}");
            assert!(
                read.is_err() || text[..cut].ends_with('\n'),
                "half a line was believed at {cut}"
            );
        }
        for bad in [
            "heeler snapshots 2\n",
            "heeler snapshots 1\ndata/a  24 hourlies\n",
            "heeler snapshots 1\ndata/a  -1 hourly\n",
            "heeler snapshots 1\ndata  guid x\n",
            "heeler snapshots 1\ndata/b  1 hourly\ndata/a  1 hourly\n",
        ] {
            assert!(snapshots(bad).is_err(), "{bad}");
        }
        assert!(scrubs("heeler scrubs 1\n").is_err());
        for bad in [
            "month day 31 at 2:00 UTC",
            "day 31 of each month, 02:00 UTC",
            "every day, 02:00 UTC",
            "every Monday 02:00 UTC",
        ] {
            assert!(scrubs(&format!("heeler scrubs 1\ndata  {bad}\n")).is_err(), "{bad}");
        }
    }
}
