use std::sync::atomic::{AtomicU64, Ordering};

/// How many beats one piece of work may take.
const PATIENCE: u64 = 3;

/// Whether the session makes progress, which feeds the watchdog. It counts beats, not seconds, so that a suspended
/// machine does not look like a blocked agent.
#[derive(Debug, Default)]
pub struct Pulse {
    beats: AtomicU64,
    /// The beat at which the present work began; 0 when there is none.
    since: AtomicU64,
}

/// Ends the work when it is dropped.
#[must_use]
pub struct Busy<'a>(&'a Pulse);

impl Pulse {
    /// Begins a piece of work that must end soon.
    pub fn busy(&self) -> Busy<'_> {
        self.since
            .store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Busy(self)
    }

    /// Counts a beat; false when the present work takes too long.
    pub fn beat(&self) -> bool {
        let beats = self.beats.fetch_add(1, Ordering::Relaxed) + 1;
        let since = self.since.load(Ordering::Relaxed);
        since == 0 || beats < since + PATIENCE
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.since.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_session_is_never_ended() {
        let pulse = Pulse::default();
        assert!((0..1000).all(|_| pulse.beat()));
    }

    #[test]
    fn endless_work_stops_the_heartbeat() {
        let pulse = Pulse::default();
        let work = pulse.busy();
        assert_eq!(
            [pulse.beat(), pulse.beat(), pulse.beat(), pulse.beat()],
            [true, true, true, false]
        );
        drop(work);
        assert!(pulse.beat());
    }
}
