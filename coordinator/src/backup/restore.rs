use std::fs;
use std::path::{Path, PathBuf};

use heeler_proto::Word as _;
use heeler_proto::v1::EventKind;
use heeler_store::{Event, Outcome, Store, TaskState};

use super::archive::Manifest;
use super::encrypt::Opener;
use super::error::{BackupError, Result, damaged};
use super::opened::Opened;
use super::place::{self, Filling, sync};
use super::recovery::Recovery;
use crate::app::RESTORED;
use crate::audit::write;
use crate::init::epoch_at;
use crate::pki::{make_folder, write_secret};
use crate::state::{Lock, LockError, StateFolder};

/// Options of a restore.
pub struct Restore<'a> {
    /// Path of the encrypted file.
    pub archive: &'a Path,
    /// Key or passphrase that opens it.
    pub opener: Opener,
    /// The recovery key whose signers are accepted. None with a passphrase: only somebody who knows it can have made
    /// the backup.
    pub recovery: Option<&'a Recovery>,
    /// The state folder to restore into.
    pub state: &'a StateFolder,
    /// Cluster of heeler.toml; None when there is no heeler.toml.
    pub cluster: Option<&'a str>,
    /// Folder of heeler.toml; None: as the backup says.
    pub config: Option<&'a Path>,
    /// Whether an existing coordinator may be put aside.
    pub replace: bool,
    /// Operator name for the audit log.
    pub operator: &'a str,
}

/// Result of a restore.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// The backup's list of contents.
    pub manifest: Manifest,
    /// The new epoch, higher than any before.
    pub epoch: u64,
    /// Where the replaced folder is now; None when there was none.
    pub aside: Option<PathBuf>,
    /// Tasks that were open when the backup was made. They are ended as failed: their outcome is not known.
    pub open_tasks: usize,
    /// Number and text of the accepted heeler.toml.
    pub accepted: Option<(u64, String)>,
    /// Names of the nodes on record, sorted.
    pub nodes: Vec<String>,
    /// Names of the trusted operators. Includes those who were revoked after the backup was made.
    pub operators: Vec<String>,
}

/// Opens a backup and checks that it is complete, in a folder that is removed afterwards. Its error: the first fault
/// found.
pub async fn verify(archive: &Path, opener: Opener, recovery: Option<&Recovery>, scratch: &Path) -> Result<Manifest> {
    let folder = Folder::new(scratch.to_owned())?;
    let manifest = Opened::open(archive, &opener, recovery)?.unpack(&folder.0)?;
    Store::check(&folder.0.join("heeler.db")).await?;
    Ok(manifest)
}

/// Replaces the state folder by the backup, in a new epoch. Everything that would prevent it is checked before
/// anything is written. When it is killed, the old folder is still complete, in place or beside it, and another run
/// finishes the work.
pub async fn restore(options: Restore<'_>, now_ms: u64) -> Result<Restored> {
    let state = options.state;
    let path = state.path();
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let occupied = is_occupied(state);
    may_replace(state, options.replace)?;
    let mut held = place.join("lock").exists().then(|| lock(state, &place)).transpose()?;
    let opened = Opened::open(options.archive, &options.opener, options.recovery)?;
    if let Some(wanted) = options.cluster.filter(|wanted| **wanted != opened.manifest.cluster) {
        return Err(BackupError::OtherCluster {
            found: opened.manifest.cluster,
            wanted: wanted.to_owned(),
        });
    }
    let mut new = Filling::beside(&place)?;
    let manifest = opened.unpack(new.path())?;
    // Two restores from one backup need different epochs, the second one higher.
    let before = Store::epoch_of(&state.database()).await.unwrap_or(0);
    let epoch = epoch_at(now_ms)
        .max(manifest.epoch.saturating_add(1))
        .max(before.saturating_add(1));
    let mut restored = start_epoch(new.path(), manifest, options.operator, (epoch, now_ms)).await?;
    if let Some(config) = options.config {
        write_secret(&new.path().join("config"), &format!("{}\n", config.display()))?;
    }
    sync(new.path())?;
    if place.exists() {
        restored.aside = put_aside(state, &place, &mut held, (occupied, now_ms))?;
    }
    if let Err(error) = new.put(&place) {
        if let Some(aside) = &restored.aside {
            let _ = fs::rename(aside, &place);
        }
        return Err(error);
    }
    if let Some(parent) = place.parent() {
        sync(parent)?;
    }
    drop(held);
    Ok(restored)
}

/// Checks that the folder holds no coordinator, or that it may be replaced: none runs in it, and it can be renamed. Its
/// error: what prevents it.
pub fn may_replace(state: &StateFolder, replace: bool) -> Result<()> {
    let path = state.path();
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if is_occupied(state) && !replace {
        return Err(BackupError::Occupied(place));
    }
    place::check(&place)?;
    if place.join("lock").exists() {
        lock(state, &place)?;
    }
    Ok(())
}

fn is_occupied(state: &StateFolder) -> bool {
    state.database().exists() || state.ca().join("key.pem").exists()
}

fn lock(state: &StateFolder, place: &Path) -> Result<Lock> {
    match state.lock() {
        Err(LockError::Held { .. }) if place::is_filled(place) => Err(BackupError::Restoring(place.to_owned())),
        locked => Ok(locked?),
    }
}

/// Renames the existing folder and returns its new path; removes an empty one.
fn put_aside(
    state: &StateFolder,
    place: &Path,
    held: &mut Option<Lock>,
    (occupied, now_ms): (bool, u64),
) -> Result<Option<PathBuf>> {
    let first = held.is_none();
    if first {
        *held = Some(lock(state, place)?);
    }
    if !occupied && is_occupied(state) {
        return Err(BackupError::Occupied(place.to_owned()));
    }
    let aside = place::aside(place, now_ms);
    if let Err(error) = fs::rename(place, &aside) {
        if first {
            let _ = fs::remove_file(place.join("lock"));
        }
        return Err(place::refused("put aside", place)(error));
    }
    if !occupied {
        // Removes only our lock. Other files belong to somebody else.
        let _ = fs::remove_file(aside.join("lock"));
        let _ = fs::remove_dir(&aside);
    }
    Ok(aside.exists().then_some(aside))
}

/// Starts a new epoch in the restored database: ends open tasks and deletes unused join tokens.
async fn start_epoch(
    folder: &Path,
    manifest: Manifest,
    operator: &str,
    (epoch, now_ms): (u64, u64),
) -> Result<Restored> {
    let database = folder.join("heeler.db");
    Store::check(&database).await?;
    let store = Store::open(&database).await?;
    let mut tx = store.write().await?;
    let known = tx.meta("cluster").await?;
    if known.as_ref() != Some(&manifest.cluster) {
        return Err(damaged("its database belongs to another cluster"));
    }
    tx.set_meta("epoch", &epoch.to_string()).await?;
    tx.set_meta("restored_epoch", &manifest.epoch.to_string()).await?;
    tx.set_meta("restored_at_ms", &now_ms.to_string()).await?;
    let open = tx.open_tasks().await?;
    for task in &open {
        let reason = "the coordinator was restored from a backup during the task: how far the task got is not known. \
            Look again: heeler plan";
        let outcome = Outcome {
            state: TaskState::Failed,
            reason: reason.to_owned(),
            blocked: None,
            changes: 0,
        };
        tx.finish_task(&task.id, &outcome, now_ms).await?;
    }
    let nodes: Vec<_> = tx.nodes().await?.into_iter().map(|node| node.name).collect();
    for node in &nodes {
        tx.forget_tokens(node).await?;
    }
    let age_min = now_ms.saturating_sub(manifest.created_at_ms) / 60_000;
    let detail = format!(
        "from a backup of {} ({age_min} min old) that ends at entry {}; epoch {epoch}",
        manifest.created_at_ms, manifest.audit_seq
    );
    write(&mut tx, operator, (RESTORED, "", &detail), now_ms).await?;
    tx.add_event(&Event {
        at_ms: now_ms,
        kind: EventKind::Restored.word().to_owned(),
        text: format!("the coordinator was restored {detail}"),
        ..Event::default()
    })
    .await?;
    let operators = tx.operators().await?.into_iter().map(|operator| operator.name);
    let operators = operators.collect();
    let accepted = tx.accepted().await?.map(|revision| (revision.number, revision.text));
    tx.save().await?;
    store.close().await;
    Ok(Restored {
        manifest,
        epoch,
        aside: None,
        open_tasks: open.len(),
        accepted,
        nodes,
        operators,
    })
}

struct Folder(PathBuf);

impl Folder {
    fn new(path: PathBuf) -> Result<Self> {
        let _ = fs::remove_dir_all(&path);
        make_folder(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
