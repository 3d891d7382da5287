use std::path::PathBuf;

use heeler_host::{Folder, FolderAction, System, findmnt};

use super::imported;
use crate::engine::in_full;

/// A mounted dataset of one of Heeler's pools: where copies go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    dataset: String,
    mountpoint: String,
}

impl Place {
    /// The mounted dataset with the alphabetically first mountpoint, in a working pool of Heeler's: the one named
    /// `pool`, else any. Its error: a message.
    pub async fn find(host: &dyn System, pool: Option<&str>) -> Result<Self, String> {
        let pools = imported(host).await.map_err(|error| in_full(&error))?;
        let works = |state: &str| matches!(state, "ONLINE" | "DEGRADED");
        let mut mounts = findmnt::mounts(host).await.map_err(|error| in_full(&error))?;
        mounts.retain(|mount| mount.kind == "zfs");
        let ours = |dataset: &str| {
            let name = dataset.split('/').next().unwrap_or_default();
            pool.is_none_or(|pool| pool == name)
                && pools
                    .iter()
                    .any(|known| known.name == name && known.comment.starts_with("heeler:") && works(&known.state))
        };
        mounts
            .into_iter()
            .filter(|mount| ours(&mount.source))
            .min_by(|a, b| a.target.cmp(&b.target))
            .map(|mount| Self {
                dataset: mount.source,
                mountpoint: mount.target,
            })
            .ok_or_else(|| match pool {
                Some(pool) => {
                    format!("no dataset of the pool {pool} is mounted, or the pool does not work: zpool status")
                }
                None => "no dataset of a working pool of Heeler's is mounted here".to_owned(),
            })
    }

    /// Fails, with a message, when the dataset is not mounted any more: then a copy would be written to the SD card.
    pub async fn still_mounted(&self, host: &dyn System) -> Result<(), String> {
        let mounts = findmnt::mounts(host).await.map_err(|error| in_full(&error))?;
        // Of several mounts at one place the last one is visible.
        let seen = mounts.iter().rfind(|mount| mount.target == self.mountpoint);
        if seen.is_some_and(|mount| mount.kind == "zfs" && mount.source == self.dataset) {
            return Ok(());
        }
        Err(format!(
            "{} is not mounted at {} any more",
            self.dataset, self.mountpoint
        ))
    }

    /// Does `action` with the file `name` in a folder below the mountpoint. Others may write to the dataset, so links
    /// are not followed. Its error: a message.
    pub async fn act(
        &self,
        host: &dyn System,
        below: &'static str,
        name: &str,
        action: FolderAction,
    ) -> Result<Vec<String>, String> {
        let folder = Folder {
            mountpoint: PathBuf::from(&self.mountpoint),
            below,
        };
        let done = host.within(&folder, name, action).await;
        done.map_err(|error| format!("could not keep a copy in {}: {error}", folder.path().display()))
    }
}
