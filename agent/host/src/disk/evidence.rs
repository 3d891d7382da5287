use std::path::Path;

use super::content::{Content, content};
use super::{Surroundings, words};
use crate::ask::names;
use crate::blkid::{self, Probe};
use crate::lsblk::Device;
use crate::wipefs::{self, Signature};
use crate::zdb::{self, Label};
use crate::{RunError, System};

/// All facts about one disk, before they are judged by [`disk_state`](super::disk_state).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The disk, with its partitions and what is on them.
    pub device: Device,
    /// Where it, or something on it, is mounted; `[SWAP]` for swap in use.
    pub mounted: Vec<String>,
    /// Kernel devices that hold it open, such as device mapper and RAID.
    pub holders: Vec<String>,
    /// Signatures that wipefs finds on the disk and its partitions.
    pub signatures: Vec<Signature>,
    /// Superblocks that blkid finds on the disk and its partitions.
    pub probes: Vec<Probe>,
    /// ZFS labels on the disk and its partitions; None when `zdb` is not installed.
    pub labels: Option<Vec<Label>>,
    /// The imported pool that has it as a leg.
    pub imported: Option<Member>,
    /// Whether its label names an imported pool that no longer has this vdev.
    pub former: bool,
    /// The pool that `zpool import` offers and that lists the disk.
    pub importable: Option<Member>,
    /// What its bytes show.
    pub content: Content,
    /// Checks that failed, as messages. They prove nothing.
    pub failures: Vec<String>,
}

/// The pool of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The pool's name; changes with a rename on import.
    pub name: String,
    /// The pool's guid, as `zpool status -g` shows it; 0 when the pool could not be read.
    pub guid: u64,
}

impl Evidence {
    /// Whether the disk holds only what an interrupted `zpool create` leaves: partitions of ZFS's types and labels,
    /// or a partition table with one copy written and no partition visible.
    pub fn only_marks_of_zfs(&self) -> bool {
        // The types "usr / Apple ZFS" and "Solaris reserved", the only ones that ZFS's libefi writes.
        let types = [
            "6a898cc3-1dd2-11b2-99a6-080020736631",
            "6a945a3b-1dd2-11b2-99a6-080020736631",
        ];
        let partitions = &self.device.children;
        let partitioned = !partitions.is_empty()
            && partitions
                .iter()
                .all(|one| types.contains(&one.partition_type.as_str()));
        let kinds = ["gpt", "PMBR", "zfs_member"];
        let nothing_else = self.signatures.iter().all(|one| kinds.contains(&one.kind.as_str()));
        let torn = partitions.is_empty() && self.device.partition_table.is_empty() && !self.signatures.is_empty();
        (partitioned || torn)
            && nothing_else
            && self.mounted.is_empty()
            && self.holders.is_empty()
            && self.failures.is_empty()
    }

    fn failed(&mut self, error: RunError) -> Result<(), RunError> {
        match error {
            RunError::Timeout { .. } => Err(error),
            error => {
                self.failures.push(error.to_string());
                Ok(())
            }
        }
    }

    /// Whether everything but the bytes was checked and found empty.
    fn looks_blank(&self) -> bool {
        let device = &self.device;
        device.children.is_empty()
            && device.partition_table.is_empty()
            && device.content.is_empty()
            && self.mounted.is_empty()
            && self.holders.is_empty()
            && self.signatures.is_empty()
            && self.probes.iter().all(|probe| *probe == Probe::Nothing)
            && self.labels.iter().all(Vec::is_empty)
            && self.imported.is_none()
            && self.importable.is_none()
    }
}

/// Collects the facts about one disk; only reads. A check that fails is added to the failures. A disk that the
/// machine runs from, or that is a leg of an imported pool, is not checked further.
pub async fn collect(host: &dyn System, around: &Surroundings, device: &Device) -> Evidence {
    let mut evidence = begun(around, device);
    if words::system(&evidence.mounted).is_some() || evidence.imported.is_some() {
        return evidence;
    }
    let parts = device.children.iter().filter(|child| child.kind == "part");
    let mut hangs = false;
    for node in std::iter::once(device).chain(parts) {
        if let Err(error) = probe(host, node, &mut evidence).await {
            let failure = format!("{} cannot be read: {error}", node.path);
            evidence.failures.insert(0, failure);
            hangs = true;
            break;
        }
    }
    let labels = || evidence.labels.iter().flatten();
    evidence.imported = labels().find_map(|label| around.member_by(label));
    evidence.former = labels().any(|label| around.pool(label.pool_guid).is_some());
    if !hangs && evidence.looks_blank() {
        evidence.content = content(host, device).await;
    }
    evidence
}

/// The facts that are known without asking the disk.
pub(super) fn begun(around: &Surroundings, device: &Device) -> Evidence {
    Evidence {
        device: device.clone(),
        mounted: mounted(around, device),
        holders: Vec::new(),
        signatures: Vec::new(),
        probes: Vec::new(),
        labels: Some(Vec::new()),
        imported: around.member_of(device),
        former: false,
        importable: importable(around, device),
        content: Content::NotRead,
        failures: Vec::new(),
    }
}

/// An error only when a program exceeds its time limit: a disk that hangs is not asked further.
async fn probe(host: &dyn System, node: &Device, evidence: &mut Evidence) -> Result<(), RunError> {
    let holders = Path::new("/sys/class/block").join(node.kernel_name()).join("holders");
    match names(host, holders).await {
        Ok(found) => evidence.holders.extend(found.unwrap_or_default()),
        Err(error) => evidence.failed(error)?,
    }
    match wipefs::signatures(host, &node.path).await {
        Ok(found) => evidence.signatures.extend(found),
        Err(error) => evidence.failed(error)?,
    }
    match blkid::probe(host, &node.path).await {
        Ok(found) => evidence.probes.push(found),
        Err(error) => evidence.failed(error)?,
    }
    match zdb::labels(host, &node.path).await {
        Ok(found) => evidence
            .labels
            .iter_mut()
            .for_each(|labels| labels.extend(found.labels.clone())),
        Err(RunError::Missing { .. }) => evidence.labels = None,
        Err(error) => evidence.failed(error)?,
    }
    Ok(())
}

/// From lsblk and findmnt, which read different sources.
pub(super) fn mounted(around: &Surroundings, device: &Device) -> Vec<String> {
    let stack = device.stack();
    let mut found: Vec<String> = stack.iter().flat_map(|one| one.mountpoints.iter().cloned()).collect();
    for mount in &around.mounts {
        if stack
            .iter()
            .any(|one| one.path == mount.source || one.alias == mount.source)
        {
            found.push(mount.target.clone());
        }
    }
    found.sort();
    found.dedup();
    found
}

fn importable(around: &Surroundings, device: &Device) -> Option<Member> {
    let pools = around.importable.iter().flatten();
    let mut ours = pools.filter(|pool| {
        let mut legs = pool.legs.iter();
        legs.any(|leg| around.named(&leg.name).is_some_and(|disk| disk.path == device.path))
    });
    ours.next().map(|pool| Member {
        name: pool.name.clone(),
        guid: pool.guid,
    })
}
