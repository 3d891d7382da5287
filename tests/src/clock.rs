use std::sync::atomic::{AtomicU64, Ordering};

use heeler_coordinator::clock::Clock;

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct HandClock(AtomicU64);

impl HandClock {
    /// At this time, Unix milliseconds.
    #[must_use]
    pub const fn at(now_ms: u64) -> Self {
        Self(AtomicU64::new(now_ms))
    }

    /// Somebody sets it.
    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    /// So much later.
    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
