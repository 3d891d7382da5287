use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use super::machine::Machine;
use super::pace::Pace;
use super::power::{Gone, Loss};
use super::state::State;
use super::{fault::Fault, log::Entry, program};
use crate::{
    Command, Content, File, Folder, FolderAction, Job, JobState, Output, Piped, RunError, Secret, Stdin, System,
    UnitAction, UnitError, UnitState,
};

/// Reads from this size on take time; smaller ones take none.
const MUCH_BYTES: u64 = 256 << 20;
/// The speed of an NVMe disk on the single PCIe lane of a Raspberry Pi 5.
const BYTES_PER_MS: u64 = 410_000;

/// The exit code of a program that printed into a closed pipe.
const SIGPIPE: i32 = 128 + 13;

impl Machine {
    /// Answers the call; never returns when the machine or the caller is gone.
    async fn answer<T>(&self, ask: impl FnOnce(&mut State) -> Result<T, Gone>) -> T {
        let answer = {
            let mut state = self.lock();
            let answer = state.awake().and_then(|()| ask(&mut state));
            answer.and_then(|answer| state.power.alive().map(|()| answer))
        };
        match answer {
            Ok(answer) => answer,
            Err(Gone) => pending().await,
        }
    }

    /// Like `answer`, for calls that change nothing.
    async fn tell<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        let answer = {
            let mut state = self.look();
            state.awake().map(|()| ask(&state))
        };
        match answer {
            Ok(answer) => answer,
            Err(Gone) => pending().await,
        }
    }

    /// Never returns while the path's pool is suspended.
    async fn reaches(&self, path: &Path) {
        if self.look().waits_for_its_pool(path) {
            pending::<()>().await;
        }
    }

    /// Reads of samples take no time.
    async fn takes(&self, places: &[(u64, u64)]) {
        let bytes: u64 = places.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
        if bytes < MUCH_BYTES {
            return;
        }
        let time = Duration::from_millis(bytes / BYTES_PER_MS);
        let pace = self.lock().clock.pace;
        match pace {
            Pace::Live { haste, .. } => tokio::time::sleep(time / haste.max(1) / 32).await,
            Pace::Instant => {
                self.lock().clock.skip(time);
                tokio::task::yield_now().await;
            }
        }
    }

    /// With a point before and after the change.
    async fn change<T>(&self, what: String, act: impl FnOnce(&mut State) -> Result<T, Gone>) -> T {
        self.answer(|state| {
            state.power.point()?;
            state.power.alive()?;
            state.log.push(Entry { what, mutates: true });
            let done = act(state)?;
            state.power.point()?;
            Ok(done)
        })
        .await
    }
}

impl State {
    /// A requested reboot happens at the next call.
    fn awake(&mut self) -> Result<(), Gone> {
        if self.kernel.rebooting && self.power.loss().is_none() {
            self.power.lose(Loss::Reboot);
        }
        self.power.alive()
    }

    fn run(&mut self, command: &Command) -> Result<Result<Output, RunError>, Gone> {
        self.power.point()?;
        self.power.alive()?;
        self.log.push(Entry {
            what: command.to_string(),
            mutates: command.changes,
        });
        let result = if self.os.missing.contains(command.program) {
            Err(RunError::Missing {
                program: command.program,
            })
        } else if let Some(fault) = self.take_fault(&command.to_string()) {
            let (result, took) = fault.strike(command);
            self.clock.skip(took);
            result
        } else if program::hangs(self, command) {
            let (result, took) = Fault::TimesOut.strike(command);
            self.clock.skip(took);
            result
        } else {
            let before = self.power.points();
            let output = program::run(self, command)?;
            assert!(
                command.changes || self.power.points() == before,
                "a look changed the machine: {command}"
            );
            Ok(output)
        };
        self.power.point()?;
        Ok(result)
    }

    /// First `from`, then `into` with what it printed, so that power can also fail between them. An `into` that fails
    /// has read nothing.
    fn pipe(&mut self, from: &Command, into: &Command) -> Result<Result<Piped, RunError>, Gone> {
        let mut from = match self.run(from)? {
            Ok(output) => output,
            Err(error) => return Ok(Err(error)),
        };
        let printed = std::mem::take(&mut from.stdout).into_bytes();
        let broken = !printed.is_empty();
        let into = Command {
            stdin: Stdin::Secret(Secret::new(printed)),
            ..into.clone()
        };
        let into = self.run(&into)?;
        Ok(into.map(|into| {
            if broken && !into.ok() {
                from.code = SIGPIPE;
            }
            Piped { from, into }
        }))
    }

    pub(super) fn take_fault(&mut self, of: &str) -> Option<Fault> {
        let begins = |name: &str| {
            of.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '@']))
        };
        let at = self.faults.iter().position(|(name, _)| begins(name))?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    fn first_data(&mut self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        let Some(found) = self.device(device) else {
            return Err(super::tree::missing(device));
        };
        if self
            .take_fault(&format!("read {}", self.disks[found.disk].serial))
            .is_some()
        {
            return Err(io::Error::other("at byte 0: Input/output error"));
        }
        if let Some((_, end)) = places.iter().find(|(_, end)| *end > found.size) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("it ends at byte {}, before {end}", found.size),
            ));
        }
        let bytes = &self.disks[found.disk].bytes;
        let mut places = places.iter();
        let found = places.find_map(|(from, to)| bytes.first_data(found.start + from, found.start + to));
        Ok(found)
    }

    fn writable(&mut self, path: &Path) -> io::Result<()> {
        // Files in RAM and on pools do not use the root file system's space.
        if self.os.full && !path.starts_with("/run") && self.dataset_at(path).is_none() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match self.take_fault(&path.to_string_lossy()) {
            Some(Fault::CannotWrite(kind) | Fault::CannotStart(kind)) => Err(kind.into()),
            Some(Fault::Answers(_) | Fault::TimesOut) => Err(io::Error::other("Input/output error")),
            None => Ok(()),
        }
    }

    /// When power fails, any part of the bytes may have been appended.
    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<io::Result<()>, Gone> {
        if let Err(error) = self.writable(path) {
            return Ok(Err(error));
        }
        let before = self.read(path).unwrap_or_default();
        let mode = self.mode(path).unwrap_or(0o600);
        let mut cuts = vec![1, bytes.len() / 2, bytes.len().saturating_sub(1)];
        cuts.retain(|cut| (1..bytes.len()).contains(cut));
        cuts.dedup();
        for cut in cuts.into_iter().chain([bytes.len()]) {
            let content = [before.as_slice(), &bytes[..cut]].concat();
            if let Err(error) = self.change(path, |files, path| files.put_mode(path, content, mode)) {
                return Ok(Err(error));
            }
            if cut < bytes.len() {
                self.power.point()?;
            }
        }
        Ok(Ok(()))
    }
}

#[async_trait]
impl System for Machine {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        let pace = self.lock().clock.pace;
        if let Pace::Live { program, .. } = pace {
            tokio::time::sleep(program).await;
        }
        self.answer(|state| state.run(command)).await
    }

    async fn pipe(&self, from: &Command, into: &Command) -> Result<Piped, RunError> {
        self.answer(|state| state.pipe(from, into)).await
    }

    async fn follow(&self, command: &Command, line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
        let begun = self.answer(|state| Ok(state.follow(command))).await;
        let mut events = match begun {
            Ok(events) => events,
            Err(ended) => return ended,
        };
        let mut told = 0;
        loop {
            {
                let events = events.borrow_and_update();
                events.iter().skip(told).for_each(|event| line(event));
                told = events.len();
            }
            if events.changed().await.is_err() {
                return Ok(0);
            }
        }
    }

    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.tell(|state| state.read(path)).await
    }

    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.tell(|state| state.mode(path)).await
    }

    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.tell(|state| state.canonical(path)).await
    }

    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.tell(|state| state.list(path)).await
    }

    async fn write(&self, file: &File) -> io::Result<()> {
        let path = file.path.as_path();
        self.reaches(path).await;
        self.change(format!("write {}", path.display()), |state| {
            let bytes = file.content.bytes().clone();
            let put = |state: &mut State| state.change(path, |files, path| files.put_mode(path, bytes, file.mode));
            Ok(state.writable(path).and_then(|()| put(state)))
        })
        .await
    }

    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.reaches(path).await;
        self.change(format!("append {}", path.display()), |state| state.append(path, bytes))
            .await
    }

    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.reaches(path).await;
        self.change(format!("truncate {}", path.display()), |state| {
            Ok(state.read(path).and_then(|mut bytes| {
                let mode = state.mode(path)?;
                bytes.resize(length as usize, 0);
                state.change(path, |files, path| files.put_mode(path, bytes, mode))
            }))
        })
        .await
    }

    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        self.change(format!("parameter {} {value}", path.display()), |state| {
            Ok(state.read(path).map(|_| {
                state.kernel.parameters.insert(path.to_owned(), value.trim().to_owned());
            }))
        })
        .await
    }

    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.reaches(path).await;
        self.change(format!("remove {}", path.display()), |state| {
            Ok(state.change(path, super::tree::Tree::remove))
        })
        .await
    }

    async fn within(&self, folder: &Folder, name: &str, action: FolderAction) -> io::Result<Vec<String>> {
        let path = folder.path().join(name);
        // A link with the file's own name is replaced or removed, not followed.
        let way = match action {
            FolderAction::Append(_) => path.clone(),
            _ => folder.path(),
        };
        if self.tell(|state| state.leads_away(&folder.mountpoint, &way)).await {
            let text = format!("{} is a link, a mount or no plain file", way.display());
            return Err(io::Error::new(io::ErrorKind::NotADirectory, text));
        }
        match action {
            FolderAction::List => return self.list(&folder.path()).await,
            FolderAction::Append(bytes) => self.append(&path, &bytes).await?,
            FolderAction::Remove => self.remove(&path).await?,
            FolderAction::Write(bytes) => {
                let content = Content::Plain(bytes);
                self.write(&File {
                    path,
                    content,
                    mode: 0o600,
                })
                .await?;
            }
        }
        Ok(Vec::new())
    }

    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.tell(|state| {
            let Some(found) = state.device(device) else {
                return Err(super::tree::missing(device));
            };
            let count = length.min(found.size.saturating_sub(offset) as usize);
            Ok(state.disks[found.disk].bytes.read(found.start + offset, count))
        })
        .await
    }

    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        self.takes(places).await;
        self.answer(|state| Ok(state.first_data(device, places))).await
    }

    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        self.answer(|state| Ok(Ok(state.unit_state(unit)))).await
    }

    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        self.change(format!("{action:?} {unit}").to_lowercase(), |state| {
            Ok(state.act(unit, action))
        })
        .await
    }

    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        self.change(format!("job {} {}", job.unit, job.command), |state| {
            state.start_job(job);
            Ok(Ok(()))
        })
        .await
    }

    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        self.change(format!("forget {unit}"), |state| {
            state.forget_job(unit);
            Ok(Ok(()))
        })
        .await
    }

    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        self.answer(|state| state.job_state(unit).map(Ok)).await
    }

    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        let taken = self
            .tell(|state| {
                let found = state.on(interface);
                let (_, nic, _) = found.ok_or_else(|| super::tree::missing(Path::new(interface)))?;
                if state.link(interface).is_some_and(|link| !link.up) {
                    return Err(io::ErrorKind::NetworkDown.into());
                }
                Ok(state.board.wire.who_has(address, &nic.mac).map(|(mac, _)| mac))
            })
            .await;
        self.sleep(Duration::from_secs(2)).await;
        taken
    }

    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        let what = if trial { "reboot 0 tryboot" } else { "reboot" };
        self.change(what.to_owned(), |state| {
            state.kernel.rebooting = true;
            state.kernel.trial_asked = trial;
            Ok(Ok(()))
        })
        .await
    }

    fn now_ms(&self) -> u64 {
        self.lock().clock.now_ms()
    }

    fn found_in_order(&self, fingerprint: [u8; 32]) -> bool {
        self.lock().kernel.in_order == Some(fingerprint)
    }

    fn remember_in_order(&self, fingerprint: [u8; 32]) {
        self.lock().kernel.in_order = Some(fingerprint);
    }

    async fn sleep(&self, time: Duration) {
        let pace = self.lock().clock.pace;
        match pace {
            Pace::Live { haste, .. } => tokio::time::sleep(time / haste.max(1)).await,
            Pace::Instant => {
                self.lock().clock.skip(time);
                tokio::task::yield_now().await;
            }
        }
        self.answer(|_| Ok(())).await;
    }
}
