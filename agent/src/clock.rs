use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use heeler_host::{File, System, content, timedatectl};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::identity::Validity;

const PATH: &str = "/var/lib/heeler-agent/clock";

/// The largest difference between two clocks that follow time servers.
const CLOSE_MS: u64 = 60 * 60 * 1000;
/// How far the coordinator may be ahead of a clock that follows a time server.
const FAR_MS: u64 = 24 * CLOSE_MS;
/// 1 January 2026: all releases of Heeler are later.
const BUILT_MS: u64 = 1_767_225_600_000;
const YEAR_MS: u64 = 365 * FAR_MS;
/// A node's clock without a battery may be behind by as long as an agent is in use.
const MOST_STORED_MS: u64 = 20 * YEAR_MS;
/// Less than the validity of the coordinator's certificate, for a session whose certificate is not known.
const MOST_AHEAD_MS: u64 = 2 * YEAR_MS;

/// Whether a clock may show `now_ms` while the machine's own shows `own_ms`: at most `most_ms` later.
const fn plausible(now_ms: u64, own_ms: u64, most_ms: u64) -> bool {
    let known_ms = if own_ms > BUILT_MS { own_ms } else { BUILT_MS };
    now_ms >= BUILT_MS && now_ms <= known_ms.saturating_add(most_ms)
}

/// The later of the machine's clock and the coordinator's last time, because a Pi has no battery for its clock, and
/// an attacker may set it back.
#[derive(Clone)]
pub struct Clock {
    host: Arc<dyn System>,
    coordinator_ms: Arc<AtomicU64>,
    /// The latest time that the coordinator's certificate explains; 0 before the first one.
    latest_ms: Arc<AtomicU64>,
    /// Whether certificates are checked by the machine's own clock alone.
    own_alone: Arc<AtomicBool>,
}

impl Clock {
    /// Reads the coordinator's last time from disk. Fails when the file exists and cannot be read.
    pub async fn open(host: Arc<dyn System>) -> io::Result<Self> {
        let bytes = content(host.as_ref(), Path::new(PATH)).await?.unwrap_or_default();
        let last = String::from_utf8_lossy(&bytes).trim().parse().unwrap_or(0);
        // An earlier version stored impossible times too.
        let last = Some(last).filter(|last| plausible(*last, host.now_ms(), MOST_STORED_MS));
        Ok(Self {
            host,
            coordinator_ms: Arc::new(AtomicU64::new(last.unwrap_or_default())),
            latest_ms: Arc::default(),
            own_alone: Arc::default(),
        })
    }

    /// The present time, Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.host.now_ms().max(self.coordinator_ms())
    }

    /// The coordinator's last time, Unix milliseconds; 0 when there was none.
    pub fn coordinator_ms(&self) -> u64 {
        self.coordinator_ms.load(Ordering::Relaxed)
    }

    /// Asks whether the machine's clock follows a time server while the stored time is far ahead of it. If so, that
    /// clock alone decides which certificates are valid, and the node reaches a coordinator that was corrected.
    pub async fn compare(&self) {
        let far = self.coordinator_ms() > self.host.now_ms().saturating_add(FAR_MS);
        let alone = far && timedatectl::synchronised(self.host.as_ref()).await.unwrap_or(false);
        self.own_alone.store(alone, Ordering::Relaxed);
    }

    /// Takes note of a certificate of the coordinator that was found valid. It must stay valid for another year at
    /// any time that the node learns: with a later time the node would accept no certificate and be shut out.
    pub fn bound(&self, certificate: Validity) {
        let latest_ms = certificate.until_ms.saturating_sub(YEAR_MS);
        self.latest_ms.store(latest_ms, Ordering::Relaxed);
    }

    fn believes(&self, told_ms: u64) -> bool {
        match self.latest_ms.load(Ordering::Relaxed) {
            0 => plausible(told_ms, self.host.now_ms(), MOST_AHEAD_MS),
            latest_ms => (BUILT_MS..=latest_ms).contains(&told_ms),
        }
    }

    /// `told_ms` when it is possible, else this clock's time.
    pub fn judged(&self, told_ms: u64) -> u64 {
        match self.believes(told_ms) {
            true => told_ms,
            false => self.now_ms(),
        }
    }

    /// Takes over the coordinator's time, and ignores an impossible one. A time that goes back is accepted only when a
    /// time server confirms it, so that a coordinator that was once a year ahead does not keep the node there. A later
    /// time is accepted unless a time server contradicts it. Fails when it cannot be written; it is then valid until
    /// the agent restarts.
    pub async fn learn(&self, now_ms: u64) -> io::Result<()> {
        let (last_ms, own_ms) = (self.coordinator_ms(), self.host.now_ms());
        if !self.believes(now_ms) {
            tracing::warn!(now_ms, own_ms, "the coordinator sent an impossible time: ignored");
            return Ok(());
        }
        let earlier = now_ms.saturating_add(CLOSE_MS) < last_ms;
        let ahead = now_ms > own_ms.saturating_add(FAR_MS);
        if !earlier && now_ms <= last_ms {
            return Ok(());
        }
        if earlier || ahead {
            let synchronised = timedatectl::synchronised(self.host.as_ref()).await.unwrap_or(false);
            if ahead && synchronised {
                tracing::warn!(
                    now_ms,
                    own_ms,
                    "the coordinator's clock is far ahead of the time server's: ignored"
                );
                return Ok(());
            }
            if earlier && !(synchronised && now_ms.abs_diff(own_ms) <= CLOSE_MS) {
                tracing::warn!(
                    now_ms,
                    last_ms,
                    "the coordinator sent an earlier time than before: ignored"
                );
                return Ok(());
            }
        }
        self.coordinator_ms.store(now_ms, Ordering::Relaxed);
        let file = File::private(PATH, format!("{now_ms}\n").into_bytes());
        self.host.write(&file).await
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("coordinator_ms", &self.coordinator_ms())
            .finish_non_exhaustive()
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now_ms = match self.own_alone.load(Ordering::Relaxed) {
            true => self.host.now_ms(),
            false => self.now_ms(),
        };
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now_ms)))
    }
}

#[cfg(test)]
mod tests {
    use heeler_host::sim::Machine;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const YEAR: u64 = YEAR_MS;

    async fn clock(system_ms: u64, synchronised: bool, told: &[u64]) -> (Clock, u64) {
        let machine = Machine::builder("a").build();
        machine.set_clock(system_ms);
        machine.set_clock_synchronised(synchronised);
        let clock = Clock::open(Arc::new(machine.clone())).await.unwrap();
        for told_ms in told {
            clock.learn(*told_ms).await.unwrap();
        }
        let again = Clock::open(Arc::new(machine)).await.unwrap().coordinator_ms();
        (clock, again)
    }

    #[tokio::test]
    async fn a_clock_that_starts_in_1970_goes_by_the_coordinator() {
        let (clock, kept) = clock(0, false, &[NOW]).await;
        assert_eq!((clock.now_ms(), kept), (NOW, NOW));
    }

    #[tokio::test]
    async fn an_impossible_time_is_ignored() {
        for own_ms in [0, NOW] {
            for told_ms in [1, BUILT_MS - 1, NOW + 21 * YEAR, 1 << 62, u64::MAX] {
                let (clock, kept) = clock(own_ms, false, &[told_ms]).await;
                assert_eq!((clock.now_ms(), kept), (own_ms, 0), "{told_ms}");
            }
        }
        let machine = Machine::builder("a").build();
        machine.set_clock(NOW);
        let file = File::private(PATH, (1_u64 << 62).to_string().into_bytes());
        machine.write(&file).await.unwrap();
        assert_eq!(Clock::open(Arc::new(machine)).await.unwrap().now_ms(), NOW);
    }

    #[tokio::test]
    async fn no_time_outlives_the_coordinators_certificate() {
        for own_ms in [0, NOW - 4 * YEAR, NOW] {
            let (clock, _) = clock(own_ms, false, &[]).await;
            clock.bound(Validity {
                from_ms: NOW,
                until_ms: NOW + 1200 * FAR_MS,
            });
            for ahead in [3, 4, 10, 19] {
                clock.learn(NOW + ahead * YEAR).await.unwrap();
                assert_eq!(clock.coordinator_ms(), 0, "{ahead}");
            }
            clock.learn(NOW + YEAR).await.unwrap();
            assert_eq!(clock.coordinator_ms(), NOW + YEAR);
        }
    }

    #[tokio::test]
    async fn a_time_server_alone_decides_which_certificates_are_valid() {
        let machine = Machine::builder("a").build();
        machine.set_clock(NOW);
        machine.set_clock_synchronised(false);
        machine.put_file(PATH, (NOW + 5 * YEAR).to_string().as_bytes()).unwrap();
        let clock = Clock::open(Arc::new(machine.clone())).await.unwrap();
        let shown = |clock: &Clock| clock.current_time().unwrap().as_secs() * 1000;
        clock.compare().await;
        assert_eq!(shown(&clock), NOW + 5 * YEAR);
        machine.set_clock_synchronised(true);
        clock.compare().await;
        assert_eq!((shown(&clock), clock.coordinator_ms()), (NOW, NOW + 5 * YEAR));
    }

    #[tokio::test]
    async fn a_time_server_beats_a_coordinator_a_year_ahead() {
        let (clock, kept) = clock(NOW, true, &[NOW + YEAR]).await;
        assert_eq!((clock.now_ms(), kept), (NOW, 0));
    }

    #[tokio::test]
    async fn a_corrected_coordinator_is_believed_when_a_time_server_agrees() {
        let (ahead, _) = clock(NOW, false, &[NOW + YEAR, NOW]).await;
        assert_eq!(ahead.now_ms(), NOW + YEAR, "nobody else says so");
        let machine = Machine::builder("a").build();
        machine.set_clock(NOW);
        machine.set_clock_synchronised(false);
        let clock = Clock::open(Arc::new(machine.clone())).await.unwrap();
        clock.learn(NOW + YEAR).await.unwrap();
        machine.set_clock_synchronised(true);
        clock.learn(NOW + 1).await.unwrap();
        assert_eq!(clock.coordinator_ms(), NOW + 1);
    }

    #[tokio::test]
    async fn setting_time_back_needs_coordinator_and_time_server() {
        for (system_ms, synchronised) in [(NOW, true), (0, false), (NOW - YEAR, false)] {
            let (clock, kept) = clock(system_ms, synchronised, &[NOW, NOW - YEAR]).await;
            assert_eq!((clock.now_ms(), kept), (NOW, NOW), "{system_ms} {synchronised}");
        }
    }
}
