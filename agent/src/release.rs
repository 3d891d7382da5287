//! The agent goes, and everything that it made stays and runs.
//!
//! A marker is written first: from then on the agent takes no task, and whoever finds the marker, after whatever crash,
//! goes on from the first step. Each step may be done twice. What makes the agent start again goes last.

use std::io;
use std::path::{Path, PathBuf};

use heeler_host::{Content, File, RunError, System, UnitAction, UnitError};
use heeler_tasks::imported_pools;

use crate::journal::{JournalError, remembered};
use crate::{config, hold};

const MARKER: &str = "/var/lib/heeler-agent/releasing";
const TOKEN: &str = "/etc/heeler/token";
const STATE: &str = "/var/lib/heeler-agent";
/// What was saved before a disk was erased is the only way back to what it held.
const KEPT: &str = "erased";
const ARMED: &str = "/var/lib/heeler-agent/guard/armed";

const SERVICE: &str = "heeler-agent.service";
const UNITS: [&str; 3] = ["heeler-guard.timer", "heeler-guard.service", SERVICE];
/// Where first contact puts them; a package's files are dpkg's.
const PROGRAM: &str = "/usr/local/sbin/heeler-agent";

/// What a release would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In words: what stops.
    pub stops: Vec<String>,
    /// In words: what goes on, or takes over.
    pub goes_on: Vec<String>,
    /// The distribution's own units that take over.
    pub starts: Vec<String>,
    /// Why it cannot be now; empty when it can.
    pub refused: String,
}

/// Why a release did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The machine could not be looked at.
    #[error("could not look at the pools")]
    Look(#[from] RunError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// systemd.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A file.
    #[error("could not {action} {}", path.display())]
    File {
        /// What completes "could not …".
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ReleaseError {
    let path = path.into();
    move |source| ReleaseError::File { action, path, source }
}

/// What would stop, what would go on, and whether it can be now. Reads only.
///
/// # Errors
/// When the machine cannot be looked at.
pub async fn plan(host: &dyn System) -> Result<Plan, ReleaseError> {
    let mut plan = Plan::default();
    if let Some(task) = remembered(host).await?.in_hand {
        plan.refused = format!(
            "task {} ({}) is running: it would stay half-done. Wait for its end",
            task.task_id,
            task.task.kind()
        );
    } else if let Some(hold) = hold::read(host, host.now_ms())
        .await
        .map_err(file("read", hold::PATH))?
    {
        plan.refused = hold.refusal();
    } else if host.read(Path::new(ARMED)).await.is_ok() {
        plan.refused = "a change of the network awaits its confirmation: wait two minutes".to_owned();
    }
    plan.stops
        .push("new snapshots by Heeler, and their pruning; existing snapshots stay".to_owned());
    plan.stops
        .push("reports to the coordinator: heeler status shows no faults of this node any more".to_owned());
    for pool in imported_pools(host).await? {
        let timer = format!("zfs-scrub-monthly@{}.timer", pool.name);
        if host.unit_state(&timer).await?.load == "loaded" {
            plan.goes_on
                .push(format!("scrubs of {}: monthly, by {timer}", pool.name));
            plan.starts.push(timer);
        } else {
            plan.stops.push(format!(
                "scrubs of {}: this system has no timer for them; by hand: zpool scrub {}",
                pool.name, pool.name
            ));
        }
    }
    plan.goes_on
        .push("pools, their mounts, the network, and everything that uses them".to_owned());
    Ok(plan)
}

/// Whether a release was begun: then it is gone on with, and nothing else is done. First contact, which brings a token,
/// takes the node on again: a later request.
pub async fn is_begun(host: &dyn System) -> bool {
    let there = async |path: &str| host.read(Path::new(path)).await.is_ok();
    there(MARKER).await && !there(TOKEN).await
}

/// Forgets a release that did not end before the node was taken on again.
///
/// # Errors
/// When the marker cannot be removed.
pub async fn forget(host: &dyn System) -> Result<(), ReleaseError> {
    host.remove(Path::new(MARKER)).await.map_err(file("remove", MARKER))
}

/// Begins: from now on the agent takes no task, and goes on with this wherever it is cut off.
///
/// # Errors
/// When the marker is not on the disk.
pub async fn begin(host: &dyn System, plan: &Plan) -> Result<(), ReleaseError> {
    let marker = File {
        path: MARKER.into(),
        content: Content::Plain(plan.starts.join("\n").into_bytes()),
        mode: 0o600,
    };
    host.remove(Path::new(TOKEN)).await.map_err(file("remove", TOKEN))?;
    host.write(&marker).await.map_err(file("write", MARKER))
}

/// Does what was begun. Afterwards the caller stops [`SERVICE`], which may be itself.
///
/// # Errors
/// At the first thing that does not go: nothing after it was done.
pub async fn finish(host: &dyn System) -> Result<(), ReleaseError> {
    let marker = host.read(Path::new(MARKER)).await.map_err(file("read", MARKER))?;
    for timer in String::from_utf8_lossy(&marker).lines() {
        host.unit(timer, UnitAction::Enable).await?;
        host.unit(timer, UnitAction::Start).await?;
    }
    for name in list(host, Path::new(STATE)).await? {
        let path = Path::new(STATE).join(&name);
        if name != KEPT && path != Path::new(MARKER) {
            remove_all(host, path).await?;
        }
    }
    for unit in UNITS {
        if host.unit_state(unit).await?.enabled == "enabled" {
            host.unit(unit, UnitAction::Disable).await?;
        }
    }
    let own = UNITS.map(|unit| format!("/etc/systemd/system/{unit}"));
    let last = own.iter().map(String::as_str).chain([PROGRAM, config::PATH, MARKER]);
    for path in last {
        host.remove(Path::new(path)).await.map_err(file("remove", path))?;
    }
    Ok(host.unit(SERVICE, UnitAction::Reload).await?)
}

/// Stops the service: last, because it may be the caller.
///
/// # Errors
/// When systemd refuses.
pub async fn stop(host: &dyn System) -> Result<(), ReleaseError> {
    Ok(host.unit(SERVICE, UnitAction::Stop).await?)
}

async fn list(host: &dyn System, folder: &Path) -> Result<Vec<String>, ReleaseError> {
    match host.list(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(file("list", folder)),
    }
}

/// A file, or every file below a folder.
async fn remove_all(host: &dyn System, path: PathBuf) -> Result<(), ReleaseError> {
    let mut left = vec![path];
    while let Some(path) = left.pop() {
        match host.list(&path).await {
            Ok(names) => left.extend(names.iter().map(|name| path.join(name))),
            Err(_) => host.remove(&path).await.map_err(file("remove", path))?,
        }
    }
    Ok(())
}
