use std::time::Duration;

/// How time passes on a simulated machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// For tests: programs take no time, and a sleep only advances the clock.
    #[default]
    Instant,
    /// For demonstrations: time passes as tokio's clock.
    Live {
        /// How long each program takes.
        program: Duration,
        /// Factor by which sleeps are shortened, 1 or more.
        haste: u32,
    },
}

#[derive(Debug)]
pub(super) struct Clock {
    pub(super) pace: Pace,
    at_ms: u64,
    /// The steady time at `read`.
    steady_ms: u64,
    read: tokio::time::Instant,
}

impl Clock {
    pub(super) fn new(pace: Pace, at_ms: u64) -> Self {
        let read = tokio::time::Instant::now();
        Self {
            pace,
            at_ms,
            steady_ms: 0,
            read,
        }
    }

    /// Milliseconds since the machine was created, independent of the clock.
    pub(super) fn steady_ms(&self) -> u64 {
        let passed = match self.pace {
            Pace::Instant => Duration::ZERO,
            Pace::Live { .. } => self.read.elapsed(),
        };
        self.steady_ms + as_ms(passed)
    }

    pub(super) fn now_ms(&self) -> u64 {
        let passed = match self.pace {
            Pace::Instant => Duration::ZERO,
            Pace::Live { .. } => self.read.elapsed(),
        };
        self.at_ms + as_ms(passed)
    }

    /// A duration at this pace, in milliseconds.
    pub(super) const fn shortened(&self, ms: u64) -> u64 {
        match self.pace {
            Pace::Instant => ms,
            Pace::Live { haste, .. } => ms / if haste == 0 { 1 } else { haste as u64 },
        }
    }

    pub(super) fn set(&mut self, at_ms: u64) {
        let steady_ms = self.steady_ms();
        *self = Self {
            steady_ms,
            ..Self::new(self.pace, at_ms)
        };
    }

    /// Advances the machine's time only.
    pub(super) fn skip(&mut self, time: Duration) {
        self.set(self.now_ms() + as_ms(time));
        self.steady_ms += as_ms(time);
    }
}

fn as_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
