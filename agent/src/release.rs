//! Removes the agent from the node; everything that it set up stays and keeps running.
//!
//! A marker file is written first. While it exists, the agent accepts no task, and after a crash the release
//! continues from its first step, so each step can be repeated. What would start the agent again is removed last.

use std::io;
use std::path::{Path, PathBuf};

use heeler_host::{File, RunError, System, UnitAction, UnitError};
use heeler_tasks::imported_pools;

use crate::journal::{JournalError, remembered};
use crate::{config, hold};

const MARKER: &str = "/var/lib/heeler-agent/releasing";
const TOKEN: &str = "/etc/heeler/token";
const STATE: &str = "/var/lib/heeler-agent";
/// The data that was saved before a disk was erased is the only way to restore that disk.
const KEPT: &str = "erased";
const ARMED: &str = "/var/lib/heeler-agent/guard/armed";

const SERVICE: &str = "heeler-agent.service";
const UNITS: [&str; 3] = ["heeler-guard.timer", "heeler-guard.service", SERVICE];
/// Where first contact installs the program; dpkg removes the files of a package.
const PROGRAM: &str = "/usr/local/sbin/heeler-agent";

/// What a release would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What stops, as messages.
    pub stops: Vec<String>,
    /// What continues, as messages.
    pub continues: Vec<String>,
    /// Units of the distribution that take over.
    pub starts: Vec<String>,
    /// Why a release is not possible now; empty when it is.
    pub refused: String,
}

impl Plan {
    /// What the distribution starts in the agent's place, as messages.
    pub fn takes_over(&self) -> Vec<String> {
        let pool = |timer: &str| timer.trim_start_matches(MONTHLY).trim_end_matches(".timer").to_owned();
        let text = |timer: &String| format!("monthly scrubs of {}, by {timer}", pool(timer));
        self.starts.iter().map(text).collect()
    }
}

/// The distribution's timer for monthly scrubs of one pool, before the pool's name.
const MONTHLY: &str = "zfs-scrub-monthly@";

/// Why a release did not complete.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("could not look at the pools")]
    Look(#[from] RunError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// systemd refused, or did not answer.
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error("could not {action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ReleaseError {
    let path = path.into();
    move |source| ReleaseError::File { action, path, source }
}

/// What a release would stop and what would continue, and whether it is possible now. Only reads. Fails when the
/// machine cannot be examined.
pub async fn plan(host: &dyn System) -> Result<Plan, ReleaseError> {
    let mut plan = Plan::default();
    if let Some(task) = remembered(host).await?.in_hand {
        plan.refused = format!(
            "task {} ({}) is running: it would stay half-done. Wait until it ends",
            task.task_id,
            task.task.kind()
        );
    } else if let Some(hold) = hold::read(host, host.now_ms())
        .await
        .map_err(file("read", hold::PATH))?
    {
        plan.refused = hold.refusal();
    } else if host.read(Path::new(ARMED)).await.is_ok() {
        plan.refused = "a network change is not confirmed yet: wait two minutes".to_owned();
    }
    plan.stops
        .push("new snapshots by Heeler, and their pruning; existing snapshots stay".to_owned());
    plan.stops
        .push("daily copies of the SD card; those on the pool stay".to_owned());
    plan.stops
        .push("reports to the coordinator: heeler status shows no faults of this node any more".to_owned());
    for pool in imported_pools(host).await? {
        let timer = format!("{MONTHLY}{}.timer", pool.name);
        if host.unit_state(&timer).await?.load == "loaded" {
            plan.starts.push(timer);
        } else {
            plan.stops.push(format!(
                "scrubs of {}: this system has no timer for them; by hand: zpool scrub {}",
                pool.name, pool.name
            ));
        }
    }
    plan.continues
        .push("pools, their mounts, the network, and everything that uses them".to_owned());
    Ok(plan)
}

/// Whether a release was begun; then only the release continues. A join token means that first contact added the node
/// again later, which cancels the release.
pub async fn is_begun(host: &dyn System) -> bool {
    let there = async |path: &str| host.read(Path::new(path)).await.is_ok();
    there(MARKER).await && !there(TOKEN).await
}

/// Cancels a release that did not complete before the node was added again. Fails when the marker cannot be removed.
pub async fn forget(host: &dyn System) -> Result<(), ReleaseError> {
    host.remove(Path::new(MARKER)).await.map_err(file("remove", MARKER))
}

/// Begins a release: from now on the agent accepts no task, and continues the release after any interruption. Fails
/// when the marker cannot be written.
pub async fn begin(host: &dyn System, plan: &Plan) -> Result<(), ReleaseError> {
    let marker = File::private(MARKER, plan.starts.join("\n").into_bytes());
    host.remove(Path::new(TOKEN)).await.map_err(file("remove", TOKEN))?;
    host.write(&marker).await.map_err(file("write", MARKER))
}

/// Does the steps of a release that was begun. The caller then stops [`SERVICE`], which may be itself. Its error: the
/// first step that fails; the ones after it are not done.
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

/// Stops the service; last, because the caller may be the service. Fails when systemd refuses.
pub async fn stop(host: &dyn System) -> Result<(), ReleaseError> {
    Ok(host.unit(SERVICE, UnitAction::Stop).await?)
}

async fn list(host: &dyn System, folder: &Path) -> Result<Vec<String>, ReleaseError> {
    match host.list(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(file("list", folder)),
    }
}

/// Removes a file, or all files below a folder.
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
