//! Copies of what lives on the SD card, on a mounted dataset of the node's pool: /etc, Proxmox's database, the list of
//! packages. A person restores from them; Heeler only makes them.
//!
//! A copy is a few plain files whose names begin with its time. It counts once its receipt is beside them, which is
//! written last, and is removed first.

use std::collections::BTreeSet;
use std::path::Path;

use heeler_host::{FolderAction, System, config_db, content, dpkg, hostname, tar};
use heeler_proto::{KeepCopies, hex};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::calendar::Utc;
use crate::engine::in_full;
use crate::storage::Place;

/// Folder below the mountpoint of a dataset. Only root can enter it: /etc has secrets.
const FOLDER: &str = ".heeler/node";
/// Seconds from one copy to the next.
pub const DAY_S: u64 = 24 * 60 * 60;
/// After how many seconds without a copy a person should know.
pub const OVERDUE_S: u64 = 2 * DAY_S;

const RECEIPT: &str = "json";
/// What the names of a copy's files end with, after its time and a dot.
const ENDS: [&str; 5] = ["etc.tar.gz", "config.db", "config.db-wal", "packages", RECEIPT];

/// When the newest whole copy on the pool was made, Unix seconds; None when there is none. One that a wrong clock
/// dates after `now_s` does not count. Its error: a message.
pub async fn newest_s(host: &dyn System, pool: &str, now_s: u64) -> Result<Option<u64>, String> {
    let place = Place::find(host, Some(pool)).await?;
    let names = names(host, &place).await?;
    let times = whole(&names).into_iter().filter_map(Utc::read).map(Utc::seconds);
    Ok(times.filter(|at_s| *at_s <= now_s).max())
}

/// Makes a copy, and removes the oldest: it keeps `keep` of them. Returns its time, Unix seconds. Its error: a message;
/// then the copies before are all there.
pub async fn make(host: &dyn System, wanted: &KeepCopies, keep: usize) -> Result<u64, String> {
    let place = Place::find(host, Some(wanted.pool.as_str())).await?;
    let there = names(host, &place).await?;
    let finished = whole(&there);
    for name in there.iter().filter(|name| is_left(name, &finished)) {
        act(host, &place, name, FolderAction::Remove).await?;
    }
    let mut at_s = host.now_ms() / 1000;
    while finished.contains(Utc::of(at_s).stamp().as_str()) {
        at_s += 1;
    }
    let stamp = Utc::of(at_s).stamp();
    let mut listed = Vec::new();
    for (end, bytes) in [("packages", packages(host).await?), ("etc.tar.gz", etc(host).await?)] {
        listed.push(keep_file(host, &place, &stamp, end, bytes).await?);
    }
    let steady = config_db::steady(host, Path::new(config_db::DATABASE), Path::new(config_db::LOG)).await;
    if let Some(steady) = steady.map_err(|error| in_full(&error))? {
        listed.push(keep_file(host, &place, &stamp, "config.db", steady.database).await?);
        if let Some(log) = steady.log {
            listed.push(keep_file(host, &place, &stamp, "config.db-wal", log).await?);
        }
    }
    let node = hostname::now_and_next(host).await.map_err(|error| in_full(&error))?;
    let [node, _] = node;
    let receipt = format!("{}\n", json!({ "node": node, "at_s": at_s, "files": listed }));
    act(
        host,
        &place,
        &format!("{stamp}.{RECEIPT}"),
        FolderAction::Write(receipt.into_bytes()),
    )
    .await?;
    prune(host, &place, &stamp, keep).await?;
    Ok(at_s)
}

/// Removes all but the newest `keep` whole copies; `new` stays whatever the clock was.
async fn prune(host: &dyn System, place: &Place, new: &str, keep: usize) -> Result<(), String> {
    let there = names(host, place).await?;
    for stamp in whole(&there).into_iter().rev().skip(keep).filter(|stamp| *stamp != new) {
        for end in ENDS.into_iter().rev() {
            let name = format!("{stamp}.{end}");
            if there.contains(&name) {
                act(host, place, &name, FolderAction::Remove).await?;
            }
        }
    }
    Ok(())
}

/// Writes one file of a copy, as a whole or not at all. Returns its line of the receipt.
async fn keep_file(host: &dyn System, place: &Place, stamp: &str, end: &str, bytes: Vec<u8>) -> Result<Value, String> {
    let name = format!("{stamp}.{end}");
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    let listed = json!({ "name": name, "bytes": bytes.len(), "sha256": sha256 });
    act(host, place, &name, FolderAction::Write(bytes)).await?;
    Ok(listed)
}

/// The packages with their versions and states, one a line.
async fn packages(host: &dyn System) -> Result<Vec<u8>, String> {
    let command = dpkg::packages_command();
    match host.run(&command).await {
        Ok(output) if output.ok() => Ok(output.stdout.into_bytes()),
        Ok(output) => Err(format!("the packages could not be listed: {}", output.complaint())),
        Err(error) => Err(in_full(&error)),
    }
}

/// /etc as an archive.
async fn etc(host: &dyn System) -> Result<Vec<u8>, String> {
    let path = Path::new(tar::ARCHIVE);
    let made = tar::etc(host).await.map_err(|error| in_full(&error));
    let read = match made {
        Ok(()) => content(host, path)
            .await
            .map_err(|error| format!("{}: {error}", tar::ARCHIVE)),
        Err(error) => Err(error),
    };
    // It lies in memory, which guests need.
    let gone = host.remove(path).await;
    let archive = read?.ok_or_else(|| format!("tar made no {}", tar::ARCHIVE))?;
    gone.map_err(|error| format!("{} could not be removed: {error}", tar::ARCHIVE))?;
    Ok(archive)
}

async fn names(host: &dyn System, place: &Place) -> Result<Vec<String>, String> {
    act(host, place, "", FolderAction::List).await
}

/// The dataset is looked at again before each action: without the mount the SD card would be written to.
async fn act(host: &dyn System, place: &Place, name: &str, action: FolderAction) -> Result<Vec<String>, String> {
    place.still_mounted(host).await?;
    place.act(host, FOLDER, name, action).await
}

/// Time and end of the name of a copy's file; None for any other name: such a file is never removed.
fn parts(name: &str) -> Option<(&str, &str)> {
    let (stamp, end) = name.split_once('.')?;
    (Utc::read(stamp).is_some() && ENDS.contains(&end)).then_some((stamp, end))
}

/// Whether an interrupted copy left this file: one without a receipt, or one that was being written
/// (`.NAME.PROCESS-NUMBER.new`).
fn is_left(name: &str, finished: &BTreeSet<&str>) -> bool {
    let begun = name.strip_prefix('.').and_then(|name| name.strip_suffix(".new"));
    match begun.and_then(|name| name.rsplit_once('.')) {
        Some((name, _)) => parts(name).is_some(),
        None => parts(name).is_some_and(|(stamp, _)| !finished.contains(stamp)),
    }
}

/// The times of the copies that have a receipt, oldest first.
fn whole(names: &[String]) -> BTreeSet<&str> {
    let receipts = names
        .iter()
        .filter_map(|name| parts(name))
        .filter(|(_, end)| *end == RECEIPT);
    receipts.map(|(stamp, _)| stamp).collect()
}
