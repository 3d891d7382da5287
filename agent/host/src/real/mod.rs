//! A real Linux machine.

mod arp;
mod bus;
mod files;
mod job;
mod logind;
mod scan;
mod systemd;
#[cfg(test)]
mod systemd_tests;
#[cfg(test)]
mod tests;
mod within;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

use crate::ask::ONE_DISK;
use crate::{
    Command, File, Folder, FolderAction, Job, JobState, Look, Output, Piped, RunError, System, UnitAction, UnitError,
    UnitState,
};
use bus::Bus;

/// The machine on which this process runs.
#[derive(Debug)]
pub struct RealSystem {
    root: PathBuf,
    bus: Bus,
    alone: Mutex<()>,
    in_order: std::sync::Mutex<Option<[u8; 32]>>,
}

impl RealSystem {
    /// With the whole file system.
    pub fn new() -> Self {
        Self::with_root("/")
    }

    /// With files only below `root`, for tests. Programs, units and the clock are still those of this machine.
    pub fn with_root(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            bus: Bus::default(),
            alone: Mutex::default(),
            in_order: std::sync::Mutex::default(),
        }
    }

    /// The path below `root`. A relative path, or one with `..`, is an error.
    fn at(&self, path: &Path) -> io::Result<PathBuf> {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        match path.strip_prefix("/") {
            Ok(inner) if !climbs => Ok(self.root.join(inner)),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is not an absolute path", path.display()),
            )),
        }
    }
}

impl RealSystem {
    /// Before a command that runs alone, waits for others of that kind, at most for the command's own time limit.
    async fn turn(&self, command: &Command) -> Result<Option<MutexGuard<'_, ()>>, RunError> {
        if !command.alone {
            return Ok(None);
        }
        let turn = tokio::time::timeout(command.timeout, self.alone.lock()).await;
        turn.map(Some).map_err(|_| RunError::timeout(command))
    }
}

impl Default for RealSystem {
    fn default() -> Self {
        Self::new()
    }
}

/// File access can block a thread for minutes when a disk fails, so it never runs on the thread that serves the
/// session.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(gone) => Err(io::Error::other(gone)),
    }
}

/// Waits for `scan` as long as its number of reads grows: a slow disk is waited for, and one that hangs is given up.
async fn while_it_moves<T>(scan: impl Future<Output = io::Result<T>>, reads: &AtomicU64) -> io::Result<T> {
    let mut scan = std::pin::pin!(scan);
    let mut before = None;
    loop {
        match tokio::time::timeout(ONE_DISK, &mut scan).await {
            Ok(done) => return done,
            Err(late) => {
                let now = Some(reads.load(Ordering::Relaxed));
                if now == before {
                    return Err(late.into());
                }
                before = now;
            }
        }
    }
}

#[async_trait]
impl System for RealSystem {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        let _turn = self.turn(command).await?;
        heeler_os::run(command).await
    }

    async fn pipe(&self, from: &Command, into: &Command) -> Result<Piped, RunError> {
        let _turn = self.turn(if into.alone { into } else { from }).await?;
        heeler_os::pipe(from, into).await
    }

    async fn follow(&self, command: &Command, line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
        heeler_os::follow(command, line).await
    }

    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.at(path)?;
        blocking(move || std::fs::read(path)).await
    }

    async fn mode(&self, path: &Path) -> io::Result<u32> {
        let path = self.at(path)?;
        blocking(move || files::mode(&path)).await
    }

    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let (path, root) = (self.at(path)?, self.root.clone());
        blocking(move || {
            let found = path.canonicalize()?;
            let inner = found
                .strip_prefix(root.canonicalize()?)
                .map(|inner| Path::new("/").join(inner));
            Ok(inner.unwrap_or(found))
        })
        .await
    }

    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let path = self.at(path)?;
        blocking(move || files::list(&path)).await
    }

    async fn write(&self, file: &File) -> io::Result<()> {
        let file = File {
            path: self.at(&file.path)?,
            ..file.clone()
        };
        blocking(move || files::write(&file)).await
    }

    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (path, bytes) = (self.at(path)?, bytes.to_vec());
        blocking(move || files::append(&path, &bytes)).await
    }

    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let path = self.at(path)?;
        blocking(move || files::truncate(&path, length)).await
    }

    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        if !path.starts_with("/sys") && !path.starts_with("/proc/sys") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is not a kernel parameter", path.display()),
            ));
        }
        let (path, value) = (self.at(path)?, value.to_owned());
        blocking(move || files::set_parameter(&path, &value)).await
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        let path = self.at(path)?;
        blocking(move || files::remove(&path)).await
    }

    async fn within(&self, folder: &Folder, name: &str, action: FolderAction) -> io::Result<Vec<String>> {
        let (mountpoint, below, name) = (self.at(&folder.mountpoint)?, folder.below, name.to_owned());
        blocking(move || within::within(&mountpoint, Path::new(below), &name, action)).await
    }

    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let device = self.at(device)?;
        let read = blocking(move || files::read_at(&device, offset, length));
        // A disk that hangs blocks its thread, but not the caller.
        tokio::time::timeout(ONE_DISK, read).await?
    }

    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        let (device, places) = (self.at(device)?, places.to_vec());
        let reads = Arc::new(AtomicU64::new(0));
        let counted = reads.clone();
        let scan = blocking(move || scan::first_data(&device, &places, &counted));
        while_it_moves(scan, &reads).await
    }

    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        systemd::state(&self.bus, unit).await
    }

    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        systemd::act(&self.bus, unit, action).await
    }

    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        job::start(&self.bus, job).await
    }

    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        job::forget(&self.bus, unit).await
    }

    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        job::state(&self.bus, unit).await
    }

    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        let interface = interface.to_owned();
        blocking(move || arp::taken(&interface, address)).await
    }

    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        logind::reboot(&self.bus, trial).await
    }

    #[expect(clippy::disallowed_methods, reason = "this is the machine's clock")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn in_time(&self, _: &str, time: Duration, look: Look<'_>) {
        // The caller notices by the missing result.
        let _ = tokio::time::timeout(time, look).await;
    }

    fn found_in_order(&self, fingerprint: [u8; 32]) -> bool {
        *self.in_order.lock().unwrap_or_else(PoisonError::into_inner) == Some(fingerprint)
    }

    fn remember_in_order(&self, fingerprint: [u8; 32]) {
        *self.in_order.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
