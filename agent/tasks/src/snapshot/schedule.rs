//! The schedule that was accepted last, as it lies on the node's disk: what the lane goes by when the coordinator is
//! away. It is text, so that a plan's diff shows what changes.

use std::path::Path;

use heeler_host::{File, RunError, System};
use heeler_proto::{Class, Keep, KeepScrubs, KeepSnapshots, PoolName, ScrubEvery, SnapshotPolicy};

/// Where the snapshots' is.
pub const SNAPSHOTS: &str = "/var/lib/heeler-agent/schedule/snapshots";
/// Where the scrubs' is.
pub const SCRUBS: &str = "/var/lib/heeler-agent/schedule/scrubs";

const SNAPSHOTS_HEAD: &str = "heeler snapshots 1";
const SCRUBS_HEAD: &str = "heeler scrubs 1";

/// Something else than what Heeler writes there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} is not a schedule of this version (line {line}): heeler apply writes it anew")]
pub struct Unreadable {
    /// Which file.
    pub path: &'static str,
    /// 1 and up.
    pub line: usize,
}

/// The file that says it.
#[must_use]
pub fn snapshots_file(task: &KeepSnapshots) -> File {
    let width = task
        .policies
        .iter()
        .map(|policy| policy.dataset.len())
        .max()
        .unwrap_or(0);
    let lines = task
        .policies
        .iter()
        .map(|policy| format!("{:width$}  {}\n", policy.dataset, policy.keep));
    File::text(SNAPSHOTS, format!("{SNAPSHOTS_HEAD}\n{}", lines.collect::<String>()))
}

/// The file that says it.
#[must_use]
pub fn scrubs_file(task: &KeepScrubs) -> File {
    let (pool, day, hour) = (&task.pool, task.day, task.hour);
    let text = match task.every {
        ScrubEvery::Month => format!("{pool}  month day {day} at {hour}:00 UTC"),
        ScrubEvery::Week => format!("{pool}  week day {day} at {hour}:00 UTC"),
        ScrubEvery::Never => format!("{pool}  never"),
    };
    File::text(SCRUBS, format!("{SCRUBS_HEAD}\n{text}\n"))
}

/// What is written at a path; None when there is nothing.
///
/// # Errors
/// When it cannot be read.
pub async fn text(host: &dyn System, path: &str) -> Result<Option<String>, RunError> {
    match host.read(Path::new(path)).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads what [`snapshots_file`] wrote.
///
/// # Errors
/// At the first line that it did not.
pub fn snapshots(text: &str) -> Result<KeepSnapshots, Unreadable> {
    let mut policies = Vec::new();
    for (line, policy) in rows(SNAPSHOTS, SNAPSHOTS_HEAD, text, policy)? {
        let last = policies.last().map(|last: &SnapshotPolicy| &last.dataset);
        if last.is_some_and(|last| *last >= policy.dataset) {
            return Err(Unreadable { path: SNAPSHOTS, line });
        }
        policies.push(policy);
    }
    Ok(KeepSnapshots { policies })
}

/// Reads what [`scrubs_file`] wrote.
///
/// # Errors
/// At the first line that it did not.
pub fn scrubs(text: &str) -> Result<KeepScrubs, Unreadable> {
    let mut rows = rows(SCRUBS, SCRUBS_HEAD, text, scrub)?;
    match (rows.pop(), rows.pop()) {
        (Some((_, scrub)), None) => Ok(scrub),
        (_, more) => Err(Unreadable {
            path: SCRUBS,
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
    // A file that was cut off lacks its last line's end.
    if lines.next().is_none_or(|(_, line)| line != head) || !text.ends_with('\n') {
        return Err(Unreadable { path, line: 1 });
    }
    lines
        .map(|(line, row)| read(row).map(|row| (line, row)).ok_or(Unreadable { path, line }))
        .collect()
}

fn policy(row: &str) -> Option<SnapshotPolicy> {
    let (dataset, keep) = row.split_once("  ")?;
    Some(SnapshotPolicy {
        dataset: dataset.to_owned(),
        keep: self::keep(keep.trim_start())?,
    })
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
        [every @ ("month" | "week"), "day", day, "at", time, "UTC"] => {
            let every = if *every == "month" {
                ScrubEvery::Month
            } else {
                ScrubEvery::Week
            };
            (every, day.parse().ok()?, time.strip_suffix(":00")?.parse().ok()?)
        }
        _ => return None,
    };
    let pool = PoolName::new(pool).ok()?;
    let task = KeepScrubs { pool, every, day, hour };
    heeler_proto::v1::KeepScrubs::from(task).try_into().ok()
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

    #[test]
    fn what_is_written_is_read_back_and_a_person_can_read_it() {
        let task = KeepSnapshots {
            policies: vec![
                policy("data/b", Keep::default()),
                policy("data/pve-files", Keep::new([4, 24, 0, 0, 6, 1], 15).unwrap()),
            ],
        };
        let text = text_of(&snapshots_file(&task));
        let expected = "heeler snapshots 1\ndata/b          nothing\ndata/pve-files  4 frequent (15 min), 24 hourly, 6 monthly, 1 yearly\n";
        assert_eq!(text, expected);
        assert_eq!(snapshots(&text), Ok(task));
        for every in [ScrubEvery::Month, ScrubEvery::Week] {
            let pool = PoolName::new("data").unwrap();
            let (day, hour) = (7, 2);
            let task = KeepScrubs { pool, every, day, hour };
            assert_eq!(scrubs(&text_of(&scrubs_file(&task))), Ok(task));
        }
    }

    #[test]
    fn nothing_that_was_cut_off_or_changed_passes_for_a_schedule() {
        let task = KeepSnapshots {
            policies: vec![policy("data/a", Keep::usual()), policy("data/b", Keep::usual())],
        };
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
            "heeler snapshots 1\ndata/b  1 hourly\ndata/a  1 hourly\n",
        ] {
            assert!(snapshots(bad).is_err(), "{bad}");
        }
        assert!(scrubs("heeler scrubs 1\n").is_err());
        assert!(scrubs("heeler scrubs 1\ndata  month day 31 at 2:00 UTC\n").is_err());
    }
}
