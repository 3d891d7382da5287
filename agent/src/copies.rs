//! Encrypted copies of the coordinator's state on this node's pool. The agent cannot open them.
//!
//! A copy arrives in chunks, each answered before the next is sent, and is appended to its file. It counts once its
//! receipt is written beside it, after the whole was checked against the announced digest.

use heeler_host::{FolderAction, System};
use heeler_proto::hex;
use heeler_proto::v1::{CopyChunk, CopyStored};
use heeler_tasks::storage::Place;
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
    copy.place.still_mounted(host).await?;
    copy.digest.update(&chunk.data);
    copy.place
        .act(host, FOLDER, &copy.name, FolderAction::Append(chunk.data.clone()))
        .await?;
    copy.bytes = bytes;
    if bytes < chunk.total_bytes {
        return Ok((bytes, false));
    }
    let Some(whole) = arriving.take() else {
        return Err("no copy is arriving".to_owned());
    };
    if whole.digest.finish().as_ref() != chunk.sha256 {
        let _ = whole.place.act(host, FOLDER, &whole.name, FolderAction::Remove).await;
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
    let place = Place::find(host, None).await?;
    place.still_mounted(host).await?;
    // Removes the remains of an earlier attempt.
    place.act(host, FOLDER, &chunk.name, FolderAction::Remove).await?;
    Ok(Arriving {
        name: chunk.name.clone(),
        place,
        bytes: 0,
        digest: Context::new(&SHA256),
    })
}

/// Writes the receipt, then removes the oldest copies.
async fn finish(host: &dyn System, place: &Place, chunk: &CopyChunk) -> Result<(), String> {
    let sha256 = hex(&chunk.sha256);
    let receipt = json!({ "name": chunk.name, "at_ms": chunk.at_ms, "bytes": chunk.total_bytes, "sha256": sha256 });
    let receipt = FolderAction::Write(format!("{receipt}\n").into_bytes());
    place
        .act(host, FOLDER, &format!("{}.json", chunk.name), receipt)
        .await?;
    let names = place.act(host, FOLDER, "", FolderAction::List).await?;
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
        place
            .act(host, FOLDER, &format!("{old}.json"), FolderAction::Remove)
            .await?;
        place.act(host, FOLDER, old, FolderAction::Remove).await?;
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
