use crate::Command;

/// The kind of a line of `zpool events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A disk error was counted; a failing disk causes thousands.
    Error,
    /// A pool was imported, exported or changed its state, a scan began or ended, or the kernel dropped events.
    State,
}

/// `zpool events -H -f`: prints the events that the kernel has kept, up to 512, then each new one. `zed` has its own
/// copy of them.
pub fn events_command() -> Command {
    Command::look("zpool").args(["events", "-H", "-f"])
}

/// The kind of a line: time, tab, event class. None when no pool's state changed: each snapshot and each set property
/// is a `history_event`.
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
