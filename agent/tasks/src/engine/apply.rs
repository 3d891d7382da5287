use std::io;
use std::path::Path;
use std::time::Duration;

use heeler_host::guard::{self, End, GuardError, GuardState, Undoing};
use heeler_host::{Command, Content, File, Job, JobState, RunError, System, UnitAction, UnitError};

use super::edit::{EditError, fingerprint};
use super::{GuardAction, Op};

/// Why an op could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A program.
    #[error(transparent)]
    Run(#[from] RunError),
    /// systemd.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A marked block.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A file.
    #[error("could not {action} {path}")]
    File {
        /// What completes "could not …".
        action: &'static str,
        /// On which file.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A transient unit.
    #[error("{unit} ended with {code}: see journalctl -u {unit}")]
    Job {
        /// With its suffix, such as `zfs-mount.service`.
        unit: String,
        /// Exit code.
        code: i32,
    },
    /// logind accepted, and the machine is still up.
    #[error("the node was asked to reboot 10 minutes ago and has not")]
    NoReboot,
    /// The way back of a network change.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// Nobody confirmed a network change.
    #[error("the change was undone, and all is as it was: {reason}")]
    Undone {
        /// A clause for a person: no capital, no full stop.
        reason: String,
    },
    /// It was to be undone, and somebody had confirmed it.
    #[error("the change was confirmed at the last moment, and stays")]
    Stays,
    /// A transient unit that systemd does not know any more.
    #[error("{unit} is gone before its end: the machine was restarted under it")]
    JobLost {
        /// With its suffix, such as `zfs-mount.service`.
        unit: String,
    },
}

impl ApplyError {
    /// Whether the op may still have happened, or be half done: nobody saw its end.
    #[must_use]
    pub const fn end_unknown(&self) -> bool {
        matches!(self, Self::Run(RunError::Timeout { .. }) | Self::JobLost { .. })
    }
}

const JOB_POLL: Duration = Duration::from_secs(2);
const GUARD_POLL: Duration = Duration::from_millis(500);
/// Twice what the guard takes to undo a change, and its undo: then the guard itself is broken.
const GUARD_POLLS: u32 = 480;

/// Changes the machine. A reboot is asked for and not waited for.
///
/// # Errors
/// What could not be done; the op may be half done then, and the machine must be looked at again.
pub async fn apply(host: &dyn System, op: &Op) -> Result<(), ApplyError> {
    match op {
        Op::Run(command) => run(host, command).await,
        Op::Irreversible { op, .. } => Box::pin(apply(host, op)).await,
        Op::Write(file) => host.write(file).await.map_err(io("write", &file.path)),
        Op::Edit(edit) => {
            let before = current(host, &edit.path).await?;
            let text = edit.spliced(before.as_deref())?;
            let mode = match before {
                Some(_) => host.mode(&edit.path).await.map_err(io("read", &edit.path))?,
                None => 0o644,
            };
            let file = File {
                path: edit.path.clone(),
                content: Content::Plain(text.into_bytes()),
                mode,
            };
            host.write(&file).await.map_err(io("write", &edit.path))
        }
        Op::Remove(remove) => match current(host, &remove.path).await? {
            Some(found) if fingerprint(Some(&found)) != remove.expects => Err(EditError::Changed {
                path: remove.path.display().to_string(),
            }
            .into()),
            Some(_) => host.remove(&remove.path).await.map_err(io("remove", &remove.path)),
            None => Ok(()),
        },
        Op::Parameter { path, value } => host.set_parameter(path, value).await.map_err(io("set", path)),
        Op::Unit { unit, action } => Ok(host.unit(unit, *action).await?),
        Op::Job(job) => wait(host, job).await,
        Op::Guard(GuardAction::Arm(way)) => Ok(guard::arm(host, way).await?),
        Op::Guard(GuardAction::Undo) => match undo_now(host).await? {
            Undoing::Confirmed => Err(ApplyError::Stays),
            Undoing::Nothing | Undoing::Done(_) => Ok(()),
        },
        Op::Guard(GuardAction::Confirm) => confirmed(host).await,
        Op::Reboot { .. } => Ok(host.reboot().await?),
    }
}

/// What a file holds; `None` when it is missing.
pub(super) async fn current(host: &dyn System, path: &Path) -> Result<Option<Vec<u8>>, ApplyError> {
    match host.read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", path)(error)),
    }
}

async fn run(host: &dyn System, command: &Command) -> Result<(), ApplyError> {
    let output = host.run(command).await?;
    if output.ok() {
        Ok(())
    } else {
        Err(RunError::failed(command, &output).into())
    }
}

/// The timer gives another 90 s to this, and is there should the agent die in it.
async fn undo_now(host: &dyn System) -> Result<Undoing, ApplyError> {
    host.unit(guard::TIMER, UnitAction::Restart).await?;
    host.unit(guard::SERVICE, UnitAction::Stop).await?;
    let undoing = guard::undo(host).await?;
    host.unit(guard::TIMER, UnitAction::Stop).await?;
    Ok(undoing)
}

async fn confirmed(host: &dyn System) -> Result<(), ApplyError> {
    let pending = match guard::state(host).await? {
        GuardState::Armed(armed) => armed.id,
        GuardState::Undone(undone) => return Err(ApplyError::Undone { reason: undone.reason }),
        GuardState::Idle => return Ok(()),
    };
    for _ in 0..GUARD_POLLS {
        match guard::settle(host, &pending).await? {
            End::Open => host.sleep(GUARD_POLL).await,
            End::Confirmed => return Ok(()),
            End::Undone(reason) => return Err(ApplyError::Undone { reason }),
        }
    }
    let reason = match undo_now(host).await? {
        Undoing::Confirmed => return Ok(()),
        Undoing::Nothing => "it was undone by somebody else".to_owned(),
        Undoing::Done(_) => format!("nobody confirmed it, and {} did not undo it in time", guard::TIMER),
    };
    Err(ApplyError::Undone { reason })
}

async fn wait(host: &dyn System, job: &Job) -> Result<(), ApplyError> {
    if host.job_state(&job.unit).await? == JobState::Unknown {
        host.start_job(job).await?;
    }
    loop {
        match host.job_state(&job.unit).await? {
            JobState::Running => host.sleep(JOB_POLL).await,
            JobState::Ended(0) => return Ok(()),
            JobState::Ended(code) => {
                return Err(ApplyError::Job {
                    unit: job.unit.clone(),
                    code,
                });
            }
            JobState::Unknown => {
                return Err(ApplyError::JobLost { unit: job.unit.clone() });
            }
        }
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ApplyError {
    let path = path.display().to_string();
    move |source| ApplyError::File { action, path, source }
}
