use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Command, File, Job, JobState, Look, Output, Piped, RunError, System, UnitAction, UnitError, UnitState};

/// A machine during one look. Each command runs once and its output is reused, so that all facts fit together and a
/// plan runs half the programs. It refuses every change.
pub struct Glance<'a> {
    host: &'a dyn System,
    answers: Mutex<Vec<(Command, Option<Output>)>>,
    /// Items that exceeded their time limit; they are not tried again.
    late: Mutex<Vec<String>>,
}

impl<'a> Glance<'a> {
    /// A new look, without any stored output.
    pub const fn at(host: &'a dyn System) -> Self {
        Self {
            host,
            answers: Mutex::new(Vec::new()),
            late: Mutex::new(Vec::new()),
        }
    }

    /// The stored answer; its inner None means that the command exceeded its time limit.
    fn known(&self, command: &Command) -> Option<Option<Output>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.iter().find(|(asked, _)| asked == command);
        known.map(|(_, output)| output.clone())
    }
}

const REFUSAL: &str = "this is a look: it changes nothing";

fn only_looks(command: &Command) -> Result<(), RunError> {
    if command.changes {
        return Err(RunError::Start {
            command: command.to_string(),
            source: io::Error::new(io::ErrorKind::ReadOnlyFilesystem, REFUSAL),
        });
    }
    Ok(())
}

fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, REFUSAL))
}

fn unit_refused<T>(action: &str, unit: &str) -> Result<T, UnitError> {
    Err(UnitError::Refused {
        action: action.to_owned(),
        unit: unit.to_owned(),
        problem: REFUSAL.to_owned(),
    })
}

#[async_trait]
impl System for Glance<'_> {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        only_looks(command)?;
        if let Some(known) = self.known(command) {
            return known.ok_or_else(|| RunError::timeout(command));
        }
        let result = self.host.run(command).await;
        let answer = match &result {
            Ok(output) => Some(output.clone()),
            // A command that exceeded its time limit is not tried again; one that failed otherwise is.
            Err(RunError::Timeout { .. }) => None,
            Err(_) => return result,
        };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((command.clone(), answer));
        result
    }

    async fn pipe(&self, from: &Command, into: &Command) -> Result<Piped, RunError> {
        only_looks(from)?;
        only_looks(into)?;
        self.host.pipe(from, into).await
    }

    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.host.read(path).await
    }

    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.host.mode(path).await
    }

    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.host.resolve(path).await
    }

    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.host.list(path).await
    }

    async fn write(&self, _: &File) -> io::Result<()> {
        refused()
    }

    async fn append(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        refused()
    }

    async fn truncate(&self, _: &Path, _: u64) -> io::Result<()> {
        refused()
    }

    async fn set_parameter(&self, _: &Path, _: &str) -> io::Result<()> {
        refused()
    }

    async fn remove(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.host.read_device(device, offset, length).await
    }

    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        self.host.first_data(device, places).await
    }

    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        self.host.unit_state(unit).await
    }

    async fn unit(&self, unit: &str, _: UnitAction) -> Result<(), UnitError> {
        unit_refused("change", unit)
    }

    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        unit_refused("start", &job.unit)
    }

    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        unit_refused("forget", unit)
    }

    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        self.host.job_state(unit).await
    }

    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        self.host.address_taken(interface, address).await
    }

    async fn reboot(&self, _: bool) -> Result<(), UnitError> {
        unit_refused("start", "reboot.target")
    }

    fn now_ms(&self) -> u64 {
        self.host.now_ms()
    }

    async fn in_time(&self, item: &str, time: Duration, look: Look<'_>) {
        let late = || self.late.lock().unwrap_or_else(PoisonError::into_inner);
        if late().iter().any(|known| known == item) {
            return;
        }
        let over = AtomicBool::new(false);
        let look = Box::pin(async {
            look.await;
            over.store(true, Ordering::Relaxed);
        });
        self.host.in_time(item, time, look).await;
        if !over.into_inner() {
            late().push(item.to_owned());
        }
    }

    fn found_in_order(&self, fingerprint: [u8; 32]) -> bool {
        self.host.found_in_order(fingerprint)
    }

    fn remember_in_order(&self, fingerprint: [u8; 32]) {
        self.host.remember_in_order(fingerprint);
    }

    async fn sleep(&self, time: Duration) {
        self.host.sleep(time).await;
        // The machine may change while it waits.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
