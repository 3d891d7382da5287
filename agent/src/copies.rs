//! Encrypted copies of the coordinator's state on this node's pool. The agent cannot open them.
//!
//! A copy arrives in chunks, each answered before the next is sent, and is appended to its file. It counts once its
//! receipt is written beside it, after the whole was checked against the announced digest.

use std::path::PathBuf;

use heeler_host::{Folder, FolderAction, System, findmnt};
use heeler_proto::hex;
use heeler_proto::v1::{CopyChunk, CopyStored};
use heeler_tasks::{engine, storage};
use ring::digest::{Context, SHA256};
use serde_json::json;
use tokio::sync::Mutex;

/// Folder below the mountpoint of a dataset.
const FOLDER: &str = ".heeler/copies";
const KEPT: usize = 3;
/// The most bytes of a copy.
const LARGEST: u64 = 64 << 20;

#[derive(Default)]
pub struct Copies {
    arriving: Mutex<Option<Arriving>>,
}

struct Arriving {
    name: String,
    place: Place,
    bytes: u64,
    digest: Context,
}

/// A dataset of one of Heeler's pools, and its mountpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    dataset: String,
    mountpoint: String,
}

impl Place {
    fn folder(&self) -> Folder {
        Folder {
            mountpoint: PathBuf::from(&self.mountpoint),
            below: FOLDER,
        }
    }

    /// Others may write to the dataset, so links are not followed.
    async fn act(&self, host: &dyn System, name: &str, action: FolderAction) -> Result<Vec<String>, String> {
        let folder = self.folder();
        let done = host.within(&folder, name, action).await;
        done.map_err(|error| format!("could not keep a copy in {}: {error}", folder.path().display()))
    }
}

impl Copies {
    /// Stores one chunk, and returns how much is stored. Its error: why the copy is refused.
    pub async fn take(&self, host: &dyn System, chunk: CopyChunk) -> Result<CopyStored, String> {
        // A chunk may block on a suspended pool; later ones must not.
        let mut arriving = self
            .arriving
            .try_lock()
            .map_err(|_| "an earlier part of a copy is still being written")?;
        let stored = append(host, &mut arriving, chunk).await;
        if stored.is_err() {
            *arriving = None;
        }
        let (bytes, done) = stored?;
        Ok(CopyStored { bytes, done })
    }
}

async fn append(host: &dyn System, arriving: &mut Option<Arriving>, chunk: CopyChunk) -> Result<(u64, bool), String> {
    if chunk.offset == 0 {
        *arriving = Some(begin(host, &chunk).await?);
    }
    let under_way = arriving
        .as_mut()
        .filter(|known| known.name == chunk.name && known.bytes == chunk.offset);
    let copy = under_way.ok_or("this part does not follow from the one before")?;
    let bytes = copy.bytes + chunk.data.len() as u64;
    if chunk.data.is_empty() || bytes > chunk.total_bytes {
        return Err("this part is not what was announced".to_owned());
    }
    still_mounted(host, &copy.place).await?;
    copy.digest.update(&chunk.data);
    copy.place
        .act(host, &copy.name, FolderAction::Append(chunk.data.clone()))
        .await?;
    copy.bytes = bytes;
    if bytes < chunk.total_bytes {
        return Ok((bytes, false));
    }
    let Some(whole) = arriving.take() else {
        return Err("no copy is arriving".to_owned());
    };
    if whole.digest.finish().as_ref() != chunk.sha256 {
        let _ = whole.place.act(host, &whole.name, FolderAction::Remove).await;
        return Err("the copy did not arrive as it was sent".to_owned());
    }
    finish(host, &whole.place, &chunk).await?;
    Ok((bytes, true))
}

async fn begin(host: &dyn System, chunk: &CopyChunk) -> Result<Arriving, String> {
    if created_ms(&chunk.name).is_none() {
        return Err(format!("{:?} is not the name of a copy", chunk.name));
    }
    if chunk.total_bytes > LARGEST {
        return Err(format!("{} bytes are more than a copy may have", chunk.total_bytes));
    }
    let place = place(host).await?;
    still_mounted(host, &place).await?;
    // Removes the remains of an earlier attempt.
    place.act(host, &chunk.name, FolderAction::Remove).await?;
    Ok(Arriving {
        name: chunk.name.clone(),
        place,
        bytes: 0,
        digest: Context::new(&SHA256),
    })
}

/// The mounted dataset with the alphabetically first mountpoint, in a working pool of Heeler's.
async fn place(host: &dyn System) -> Result<Place, String> {
    let pools = storage::imported(host).await.map_err(|error| engine::in_full(&error))?;
    let works = |state: &str| matches!(state, "ONLINE" | "DEGRADED");
    let mut mounts = findmnt::mounts(host).await.map_err(|error| engine::in_full(&error))?;
    mounts.retain(|mount| mount.kind == "zfs");
    let ours = |dataset: &str| {
        let pool = dataset.split('/').next().unwrap_or_default();
        pools
            .iter()
            .any(|known| known.name == pool && known.comment.starts_with("heeler:") && works(&known.state))
    };
    mounts
        .into_iter()
        .filter(|mount| ours(&mount.source))
        .min_by(|a, b| a.target.cmp(&b.target))
        .map(|mount| Place {
            dataset: mount.source,
            mountpoint: mount.target,
        })
        .ok_or_else(|| "no dataset of a working pool of Heeler's is mounted here".to_owned())
}

/// Without the mount, the copy would be written to the SD card.
async fn still_mounted(host: &dyn System, place: &Place) -> Result<(), String> {
    let mounts = findmnt::mounts(host).await.map_err(|error| engine::in_full(&error))?;
    // Of several mounts at one place the last one is visible.
    let seen = mounts.iter().rfind(|mount| mount.target == place.mountpoint);
    if seen.is_some_and(|mount| mount.kind == "zfs" && mount.source == place.dataset) {
        return Ok(());
    }
    Err(format!(
        "{} is not mounted at {} any more",
        place.dataset, place.mountpoint
    ))
}

/// Writes the receipt, then removes the oldest copies.
async fn finish(host: &dyn System, place: &Place, chunk: &CopyChunk) -> Result<(), String> {
    let sha256 = hex(&chunk.sha256);
    let receipt = json!({ "name": chunk.name, "at_ms": chunk.at_ms, "bytes": chunk.total_bytes, "sha256": sha256 });
    let receipt = FolderAction::Write(format!("{receipt}\n").into_bytes());
    place.act(host, &format!("{}.json", chunk.name), receipt).await?;
    let names = place.act(host, "", FolderAction::List).await?;
    let whole = |name: &&String| names.contains(&format!("{name}.json"));
    let mut copies: Vec<&String> = names.iter().filter(|name| created_ms(name).is_some()).collect();
    copies.sort_by_key(|name| created_ms(name));
    let newest: Vec<&String> = copies.iter().rev().copied().filter(whole).take(KEPT).collect();
    // The new copy is kept even if the coordinator's clock went back.
    for old in copies
        .iter()
        .filter(|name| !newest.contains(name) && ***name != chunk.name)
    {
        // The receipt first: a copy without one does not count.
        place.act(host, &format!("{old}.json"), FolderAction::Remove).await?;
        place.act(host, old, FolderAction::Remove).await?;
    }
    Ok(())
}

/// The time in the name `coordinator-<Unix milliseconds>.age`; None for any other name. Other files are never written
/// or removed.
fn created_ms(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("coordinator-")?.strip_suffix(".age")?;
    let plain = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests;
