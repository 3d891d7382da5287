use std::path::{Path, PathBuf};

use heeler_host::disk::DiskState;
use heeler_host::{File, RunError, System, sfdisk, zdb};
use heeler_proto::{EraseDisk, hex};
use serde::{Deserialize, Serialize};

use super::target::{Target, look, refused};
use crate::engine::{Op, Plan, Step, StepName, fingerprint};

const FOLDER: &str = "/var/lib/heeler-agent/erased";
const MANIFEST: &str = "manifest.json";
const FRONT_BYTES: u64 = 4 << 20;
/// ZFS's last partition ends 8 MiB before the end of the disk; its two labels are at its end.
const BACK_BYTES: u64 = 12 << 20;

/// The disk's partition table, labels and both ends are saved on the node.
pub(super) struct LabelsSaved {
    pub(super) task: EraseDisk,
}

pub(super) struct Observed {
    target: Target,
    /// None when nothing is to be erased.
    ends: Option<Ends>,
}

struct Ends {
    front: Vec<u8>,
    back: Vec<u8>,
    partitions: String,
    labels: String,
    /// Whether a complete folder has exactly these ends.
    saved: bool,
    now_ms: u64,
}

/// Written last: a folder without it is incomplete.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    serial: String,
    size_bytes: u64,
    finding: String,
    saved_at_ms: u64,
    front_sha256: String,
    back_offset_bytes: u64,
    back_sha256: String,
}

impl Step for LabelsSaved {
    const NAME: StepName = "LabelsSaved";
    type Observed = Result<Observed, Plan>;

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        let target = match look(host, &self.task).await? {
            Ok(target) => target,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let idle = refused(&self.task, &target).is_some() || target.disk.state == DiskState::Blank;
        let ends = if idle { None } else { Some(ends(host, &target).await?) };
        Ok(Ok(Observed { target, ends }))
    }

    fn plan(&self, seen: &Self::Observed) -> Plan {
        let seen = match seen {
            Ok(seen) => seen,
            Err(stopped) => return stopped.clone(),
        };
        if let Some(stopped) = refused(&self.task, &seen.target) {
            return stopped;
        }
        match &seen.ends {
            Some(ends) if !ends.saved => Plan::change(save(&seen.target, ends)),
            _ => Plan::Satisfied,
        }
    }
}

async fn ends(host: &dyn System, target: &Target) -> Result<Ends, RunError> {
    let disk = &target.disk;
    let device = Path::new(&disk.by_id);
    let read = async |offset: u64, length: u64| {
        let read = host
            .read_device(device, offset, usize::try_from(length).unwrap_or(0))
            .await;
        read.map_err(|source| RunError::File {
            path: disk.by_id.clone(),
            source,
        })
    };
    let front = read(0, FRONT_BYTES.min(disk.size_bytes)).await?;
    let back = read(
        back_offset(disk.size_bytes),
        disk.size_bytes - back_offset(disk.size_bytes),
    )
    .await?;
    let mut labels = String::new();
    for path in std::iter::once(&disk.by_id).chain(&target.partitions) {
        match host.run(&zdb::labels_command(path)).await {
            Ok(output) => labels += &format!("{path}\n{}\n", output.stdout),
            // Both ends are saved without it too.
            Err(RunError::Missing { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    let saved = saved(host, disk.serial.as_str(), &front, &back).await;
    Ok(Ends {
        partitions: sfdisk::dump(host, &disk.by_id).await?.unwrap_or_default(),
        labels,
        saved,
        now_ms: host.now_ms(),
        front,
        back,
    })
}

const fn back_offset(size: u64) -> u64 {
    let from = size.saturating_sub(BACK_BYTES);
    if from > FRONT_BYTES {
        from
    } else if size > FRONT_BYTES {
        FRONT_BYTES
    } else {
        size
    }
}

async fn saved(host: &dyn System, serial: &str, front: &[u8], back: &[u8]) -> bool {
    let (front, back) = (sha256(front), sha256(back));
    for name in host.list(Path::new(FOLDER)).await.unwrap_or_default() {
        if name.strip_prefix(serial).is_some_and(|rest| rest.starts_with('-')) {
            let manifest = host
                .read(&Path::new(FOLDER).join(&name).join(MANIFEST))
                .await
                .unwrap_or_default();
            let same = |one: Manifest| one.front_sha256 == front && one.back_sha256 == back;
            if serde_json::from_slice(&manifest).is_ok_and(same) {
                return true;
            }
        }
    }
    false
}

fn save(target: &Target, ends: &Ends) -> Vec<Op> {
    let disk = &target.disk;
    let folder: PathBuf = Path::new(FOLDER).join(format!("{}-{}", disk.serial, ends.now_ms));
    let manifest = Manifest {
        serial: disk.serial.clone(),
        size_bytes: disk.size_bytes,
        finding: disk.state.finding(),
        saved_at_ms: ends.now_ms,
        front_sha256: sha256(&ends.front),
        back_offset_bytes: back_offset(disk.size_bytes),
        back_sha256: sha256(&ends.back),
    };
    let manifest = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    let file = |(name, bytes): (&str, Vec<u8>)| Op::Write(File::private(folder.join(name), bytes));
    [
        ("front.bin", ends.front.clone()),
        ("back.bin", ends.back.clone()),
        ("partitions.sfdisk", ends.partitions.clone().into_bytes()),
        ("labels.txt", ends.labels.clone().into_bytes()),
        (MANIFEST, manifest),
    ]
    .into_iter()
    .map(file)
    .collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&fingerprint(Some(bytes)))
}
