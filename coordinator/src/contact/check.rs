use std::fmt;
use std::time::Duration;

/// What first contact looks at and may judge wrongly: each can be skipped by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Check {
    /// Debian 13 or Raspberry Pi OS 13, with 64-bit programs
    System,
    /// The systemd of the node has finished its start
    Boot,
    /// cloud-init has ended, and without an error
    CloudInit,
    /// The root file system covers its disk
    RootSize,
    /// /usr/local has room for the agent
    Space,
    /// The clock is near this machine's
    Clock,
}

impl Check {
    /// How long to wait for a check that may pass by itself.
    pub const fn patience(self) -> Duration {
        match self {
            // Growing takes a minute. A root file system that is small on purpose never grows.
            Self::RootSize => Duration::from_secs(2 * 60),
            _ => Duration::from_secs(10 * 60),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = clap::ValueEnum::to_possible_value(self);
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
