use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heeler_host::{Content, File, System};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

const PATH: &str = "/var/lib/heeler-agent/clock";

/// The later of the machine's clock and the last time that the coordinator told: a Pi has no battery for its clock, and
/// an attacker may set it back.
#[derive(Clone)]
pub struct Clock {
    host: Arc<dyn System>,
    coordinator_ms: Arc<AtomicU64>,
}

impl Clock {
    /// With the coordinator's last time from the disk.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub async fn open(host: Arc<dyn System>) -> io::Result<Self> {
        let last = match host.read(Path::new(PATH)).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes).trim().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self {
            host,
            coordinator_ms: Arc::new(AtomicU64::new(last)),
        })
    }

    /// Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.host.now_ms().max(self.coordinator_ms())
    }

    /// The coordinator's last time, Unix milliseconds; 0 when it never told.
    #[must_use]
    pub fn coordinator_ms(&self) -> u64 {
        self.coordinator_ms.load(Ordering::Relaxed)
    }

    /// The coordinator told its time; an earlier one than before is not believed.
    ///
    /// # Errors
    /// When it cannot be written: it is believed until the next start all the same.
    pub async fn learn(&self, now_ms: u64) -> io::Result<()> {
        if self.coordinator_ms.fetch_max(now_ms, Ordering::Relaxed) >= now_ms {
            return Ok(());
        }
        let file = File {
            path: PathBuf::from(PATH),
            content: Content::Plain(format!("{now_ms}\n").into_bytes()),
            mode: 0o600,
        };
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
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.now_ms())))
    }
}
