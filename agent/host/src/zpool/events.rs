use crate::Command;

/// What a line of `zpool events` is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// An error was counted: a disk that fails has thousands of them.
    Error,
    /// A pool came, went or has another state, a scan began or ended, or the kernel dropped events.
    State,
}

/// `zpool events -H -f`: the events that the kernel still has, up to 512, and then each new one when it comes. It needs
/// no `zed`, which reads its own copy of them.
#[must_use]
pub fn events_command() -> Command {
    Command::new("zpool").args(["events", "-H", "-f"])
}

/// What a line of it says: the time, a tab, the event's class. None when no pool is other than it was: every snapshot
/// and every property that is set is a `history_event`.
#[must_use]
pub fn news(line: &str) -> Option<News> {
    let class = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    match class {
        "" | "sysevent.fs.zfs.history_event" => None,
        class if class.starts_with("ereport.") => Some(News::Error),
        _ => Some(News::State),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pool_changes_count_as_events() {
        for (line, expected) in [
            ("", None),
            ("Nov 30 2026 01:02:03.123456789\tsysevent.fs.zfs.history_event", None),
            (
                "Nov 30 2026 01:02:03.123456789\tereport.fs.zfs.checksum",
                Some(News::Error),
            ),
            (
                "Nov 30 2026 01:02:03.123456789\tresource.fs.zfs.statechange",
                Some(News::State),
            ),
            (
                "Nov 30 2026 01:02:03.123456789\tsysevent.fs.zfs.resilver_finish",
                Some(News::State),
            ),
            ("dropped 17 events", Some(News::State)),
        ] {
            assert_eq!(news(line), expected, "{line}");
        }
    }
}
