use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use heeler_store::{NewEvent, Outcome, Store, TaskState};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::archive::{Manifest, read_file, read_head};
use super::error::{BackupError, damaged, failed};
use super::recovery::Recovery;
use super::seal::Opener;
use crate::app::RESTORED;
use crate::audit::{Deed, write};
use crate::init::epoch_at;
use crate::pki::{make_folder, write_secret};
use crate::state::StateFolder;

/// What is put where.
pub struct Restore<'a> {
    /// The sealed file.
    pub archive: &'a Path,
    /// What opens it.
    pub opener: Opener,
    /// Whom it must be signed by; None: a passphrase, which nobody else knows.
    pub recovery: Option<&'a Recovery>,
    /// Where it goes.
    pub state: &'a StateFolder,
    /// The cluster of heeler.toml, where there is one.
    pub cluster: Option<&'a str>,
    /// Where heeler.toml is, in place of what the backup says.
    pub config: Option<&'a Path>,
    /// Put aside the coordinator that is there.
    pub replace: bool,
    /// Who does it.
    pub operator: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// The new epoch.
    pub epoch: u64,
    /// Where the folder is that was in its place.
    pub aside: Option<PathBuf>,
    /// Tasks that were under way when the backup was made: how they ended is not known.
    pub open_tasks: usize,
    /// The accepted heeler.toml, with its number.
    pub accepted: Option<(u64, String)>,
    /// The nodes on record, by name.
    pub nodes: Vec<String>,
}

/// Opens a backup and proves that all of it is whole, in a folder that is removed again.
///
/// # Errors
/// What is wrong with it.
pub async fn verify(
    archive: &Path,
    opener: Opener,
    recovery: Option<&Recovery>,
    scratch: &Path,
) -> Result<Manifest, BackupError> {
    let folder = Folder::new(scratch.to_owned())?;
    let manifest = unpack(archive, &opener, recovery, &folder.0)?;
    Store::check(&folder.0.join("heeler.db")).await?;
    Ok(manifest)
}

/// Puts the state of a backup in its place, in a new epoch. Killed at any point, the folder that was there is whole, here
/// or beside, and running it again ends it.
///
/// # Errors
/// Nothing was changed.
pub async fn restore(wish: Restore<'_>, now_ms: u64) -> Result<Restored, BackupError> {
    let state = wish.state;
    let place = state.path();
    let held = place.exists().then(|| state.lock()).transpose()?;
    let occupied = state.database().exists() || state.ca().join("key.pem").exists();
    if occupied && !wish.replace {
        return Err(BackupError::Occupied(place.to_owned()));
    }
    if let Some(parent) = place.parent() {
        make_folder(parent)?;
    }
    let new = Folder::new(sibling(place, "restoring"))?;
    let manifest = unpack(wish.archive, &wish.opener, wish.recovery, &new.0)?;
    if let Some(wanted) = wish.cluster.filter(|wanted| **wanted != manifest.cluster) {
        return Err(BackupError::OtherCluster {
            found: manifest.cluster,
            wanted: wanted.to_owned(),
        });
    }
    let mut restored = begin_anew(&new.0, manifest, wish.operator, now_ms).await?;
    if let Some(config) = wish.config {
        write_secret(&new.0.join("config"), &format!("{}\n", config.display()))?;
    }
    sync(&new.0)?;
    if place.exists() {
        let aside = sibling(place, &format!("before-{}", now_ms / 1000));
        fs::rename(place, &aside).map_err(failed("put aside", place))?;
        if !occupied {
            // Only our lock: whatever else somebody keeps there is not ours to remove.
            let _ = fs::remove_file(aside.join("lock"));
            let _ = fs::remove_dir(&aside);
        }
        restored.aside = aside.exists().then_some(aside);
    }
    fs::rename(&new.0, place).map_err(failed("put in its place", place))?;
    if let Some(parent) = place.parent() {
        sync(parent)?;
    }
    drop(held);
    Ok(restored)
}

/// A new epoch; what was under way is over, and what was promised holds no more.
async fn begin_anew(folder: &Path, manifest: Manifest, operator: &str, now_ms: u64) -> Result<Restored, BackupError> {
    let database = folder.join("heeler.db");
    Store::check(&database).await?;
    let store = Store::open(&database).await?;
    let mut tx = store.write().await?;
    let known = tx.meta("cluster").await?;
    if known.as_ref() != Some(&manifest.cluster) {
        return Err(damaged("its database is of another cluster than it says"));
    }
    // Restored twice from one backup, the second epoch is later than the first: both are made from the clock.
    let epoch = epoch_at(now_ms).max(manifest.epoch + 1);
    tx.set_meta("epoch", &epoch.to_string()).await?;
    tx.set_meta("restored_epoch", &manifest.epoch.to_string()).await?;
    tx.set_meta("restored_at_ms", &now_ms.to_string()).await?;
    let open = tx.open_tasks().await?;
    for task in &open {
        let reason = "the coordinator was restored from a backup meanwhile: how far it came is not known. Look again: heeler plan";
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
    let deed = Deed {
        action: RESTORED,
        node: "",
        detail: &detail,
    };
    write(&mut tx, deed, operator, now_ms).await?;
    tx.add_event(&NewEvent {
        at_ms: now_ms,
        kind: "restored".to_owned(),
        text: format!("the coordinator was restored {detail}"),
        ..NewEvent::default()
    })
    .await?;
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
    })
}

fn unpack(
    archive: &Path,
    opener: &Opener,
    recovery: Option<&Recovery>,
    folder: &Path,
) -> Result<Manifest, BackupError> {
    let sealed = File::open(archive).map_err(failed("read", archive))?;
    let mut opened = opener.open(BufReader::new(sealed))?;
    let (manifest, text, signature) = read_head(&mut opened)?;
    let point = unhex(&manifest.signer).ok_or_else(|| damaged("it does not say who made it"))?;
    let signed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&text, &signature);
    if signed.is_err() {
        return Err(damaged("its signature is wrong"));
    }
    if recovery.is_some_and(|recovery| !recovery.believes(&manifest.signer)) {
        return Err(BackupError::OtherSigner);
    }
    for entry in &manifest.files {
        let path = entry
            .place(folder)
            .ok_or_else(|| damaged("a path in it leads elsewhere"))?;
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut file = BufWriter::new(file.map_err(failed("make", &path))?);
        read_file(&mut opened, entry, &mut file, &path)?;
        file.flush()
            .and_then(|()| file.get_ref().sync_all())
            .map_err(failed("write", &path))?;
    }
    let rest = io::copy(&mut opened.by_ref().take(1), &mut io::sink());
    if rest.map_err(|error| damaged(error.to_string()))? > 0 {
        return Err(damaged("there is more in it than it says"));
    }
    if !folder.join("heeler.db").exists() || !folder.join("ca/key.pem").exists() {
        return Err(damaged("it holds no database or no authority"));
    }
    Ok(manifest)
}

/// Removed again unless it was renamed.
struct Folder(PathBuf);

impl Folder {
    fn new(path: PathBuf) -> Result<Self, BackupError> {
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

fn sibling(place: &Path, end: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{end}"));
    place.with_file_name(name)
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", folder))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}
