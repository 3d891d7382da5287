use std::sync::atomic::{AtomicU64, Ordering};

use heeler_coordinator::clock::Clock;

/// A clock that changes only when a test sets it.
#[derive(Debug)]
pub struct HandClock(AtomicU64);

impl HandClock {
    /// A clock at this time, Unix milliseconds.
    #[must_use]
    pub const fn at(now_ms: u64) -> Self {
        Self(AtomicU64::new(now_ms))
    }

    /// Sets the time, Unix milliseconds.
    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    /// Moves the time forward by `ms`.
    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
