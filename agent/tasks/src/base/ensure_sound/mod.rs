//! The packages of the node are whole: what a damaged card or an interrupted dpkg left is repaired.

mod damage;
mod files_whole;
mod initramfs_conf_valid;
mod initramfs_made;
mod packages_finished;
mod repair_ended;

use std::path::Path;
use std::time::Duration;

use heeler_host::dpkg::Holder;
use heeler_host::{File, RunError, System};
use heeler_proto::EnsureSound;

use crate::engine::{AnyStep, Op, Plan, Remove, fingerprint};
use crate::task::{Past, Work};

use files_whole::FilesWhole;
use initramfs_conf_valid::InitramfsConfValid;
use initramfs_made::InitramfsMade;
use packages_finished::PackagesFinished;
use repair_ended::RepairEnded;

/// Damaged files are kept below this folder, under their own paths. It stays when the agent goes.
const KEPT: &str = "/var/backups/heeler";
/// The paths of the conffiles that were moved aside and are not back yet, one a line.
const UNDER_WAY: &str = "/var/lib/heeler-agent/repair/conffiles";
/// There while every initramfs must be made again.
const INITRAMFS_DUE: &str = "/var/lib/heeler-agent/repair/initramfs-due";

impl Work for EnsureSound {
    /// The configuration of initramfs-tools comes first, because packages cannot be configured without it.
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(InitramfsConfValid),
            Box::new(PackagesFinished),
            Box::new(FilesWhole),
            Box::new(RepairEnded),
            Box::new(InitramfsMade),
        ]
    }
}

/// The content of a file; None when it does not exist.
async fn content(host: &dyn System, path: &str) -> Result<Option<Vec<u8>>, RunError> {
    let path = Path::new(path);
    let content = heeler_host::content(host, path).await;
    content.map_err(|source| RunError::file(path, source))
}

/// Keeps a copy of a damaged file, for a person who misses something that was in it.
fn keep(path: &str, bytes: &[u8]) -> Op {
    Op::Write(File::private(format!("{KEPT}{path}"), bytes.to_vec()))
}

fn initramfs_is_due() -> Op {
    Op::Write(File::private(INITRAMFS_DUE, Vec::new())).explained("note that the initramfs must be made again")
}

/// The removal of a file that had this content when it was observed.
fn remove(path: &str, bytes: &[u8]) -> Op {
    Op::Remove(Remove {
        path: path.into(),
        expects: fingerprint(Some(bytes)),
    })
}

/// Somebody else installs or removes packages.
fn wait_for(holder: &Holder) -> Plan {
    Plan::Retry {
        after: Duration::from_secs(30),
        why: format!("{holder} is installing or removing packages; wait for its end, then: heeler apply"),
    }
}
