use std::io;
use std::path::Path;
use std::time::Duration;

use heeler_host::guard::{self, End, GuardError, GuardState, Undoing};
use heeler_host::{Command, Content, File, RunError, System, UnitAction, UnitError, content};

use super::edit::{EditError, fingerprint};
use super::{GuardAction, Op};

/// Why an op could not be applied.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A program failed, or could not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// systemd refused, or did not answer.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A marked block could not be put into its file.
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error("could not {action} {path}")]
    File {
        action: &'static str,
        path: String,
        source: io::Error,
    },
    #[error(
        "it ended with {code}: {}. All that it printed, on the node: journalctl -u {unit}",
        last_lines(printed)
    )]
    Job {
        /// Name of the unit with its suffix, such as `heeler-….service`.
        unit: String,
        code: i32,
        /// Its last lines.
        printed: String,
    },
    /// A job is run by the engine alone, which gives it its unit.
    #[error("a job ran outside a task: a fault of Heeler")]
    NoUnit,
    /// logind accepted the reboot 10 minutes ago, and the machine still runs.
    #[error("the node was asked to reboot 10 minutes ago and has not rebooted")]
    NoReboot,
    /// The guard of a network change failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A network change was undone, because nobody confirmed it in time.
    #[error("the change was undone, and all is as it was: {reason}")]
    Undone {
        /// A clause for a message: no capital, no full stop.
        reason: String,
    },
    /// A network change was to be undone, but it had been confirmed already.
    #[error("the change was confirmed at the last moment, and stays")]
    Stays,
    #[error("systemd no longer knows {unit}: somebody stopped it, and how far it got is not known")]
    JobLost {
        /// Name of the unit with its suffix, such as `heeler-….service`.
        unit: String,
    },
}

impl ApplyError {
    /// Whether the op may have been completed, partly or fully: its end was not seen.
    pub const fn end_unknown(&self) -> bool {
        matches!(self, Self::Run(RunError::Timeout { .. }) | Self::JobLost { .. })
    }
}

/// The lines of a failed job's output in its message.
const SHOWN_LINES: usize = 3;

fn last_lines(printed: &str) -> String {
    let lines: Vec<&str> = printed.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join(" / ")
}

const REBOOT_POLL: Duration = Duration::from_secs(10);
const REBOOT_POLLS: u32 = 60;
const GUARD_POLL: Duration = Duration::from_millis(500);
/// 240 s in steps of [`GUARD_POLL`]: more than twice the guard's time, after which the guard must be broken.
const GUARD_POLLS: u32 = 480;

/// Applies an op to the machine. It requests a reboot, and does not wait for it. Its error: what failed. The op may be
/// done in part, so the machine must be observed again.
pub async fn apply(host: &dyn System, op: &Op) -> Result<(), ApplyError> {
    match op {
        Op::Run(command) => run(host, command).await,
        Op::Irreversible { op, .. } | Op::Explained { op, .. } => Box::pin(apply(host, op)).await,
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
        Op::Job(_) => Err(ApplyError::NoUnit),
        Op::Guard(GuardAction::Arm(way)) => Ok(guard::arm(host, way).await?),
        Op::Guard(GuardAction::Undo) => match undo_now(host).await? {
            Undoing::Confirmed => Err(ApplyError::Stays),
            Undoing::Nothing | Undoing::Done(_) => Ok(()),
            Undoing::Reboots => Err(no_reboot(host).await),
        },
        Op::Guard(GuardAction::Confirm) => confirmed(host).await,
        Op::Reboot { trial, .. } => Ok(host.reboot(*trial).await?),
    }
}

/// The content of a file; None when it does not exist.
pub(super) async fn current(host: &dyn System, path: &Path) -> Result<Option<Vec<u8>>, ApplyError> {
    content(host, path).await.map_err(io("read", path))
}

async fn run(host: &dyn System, command: &Command) -> Result<(), ApplyError> {
    let output = host.run(command).await?;
    if output.ok() {
        Ok(())
    } else {
        Err(RunError::failed(command, &output).into())
    }
}

/// Restarting the timer gives this undo 90 s, and runs the undo if the agent dies during it.
async fn undo_now(host: &dyn System) -> Result<Undoing, ApplyError> {
    host.unit(guard::TIMER, UnitAction::Restart).await?;
    host.unit(guard::SERVICE, UnitAction::Stop).await?;
    let undoing = guard::undo(host).await?;
    host.unit(guard::TIMER, UnitAction::Stop).await?;
    Ok(undoing)
}

/// Waits for a reboot that was accepted, and returns only when it does not happen.
pub(super) async fn no_reboot(host: &dyn System) -> ApplyError {
    for _ in 0..REBOOT_POLLS {
        host.sleep(REBOOT_POLL).await;
    }
    ApplyError::NoReboot
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
        Undoing::Reboots => return Err(no_reboot(host).await),
        Undoing::Nothing => "somebody else undid it".to_owned(),
        Undoing::Done(_) => format!("nobody confirmed it, and {} did not undo it in time", guard::TIMER),
    };
    Err(ApplyError::Undone { reason })
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ApplyError {
    let path = path.display().to_string();
    move |source| ApplyError::File { action, path, source }
}
