use std::path::Path;

use super::content::{Content, content};
use super::{Surroundings, words};
use crate::ask::names;
use crate::blkid::{self, Probe};
use crate::lsblk::Device;
use crate::wipefs::{self, Signature};
use crate::zdb::{self, Label};
use crate::{RunError, System};

/// Everything that was found out about one disk, before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The disk, with its partitions and what lies on them.
    pub device: Device,
    /// Where it, or something on it, is mounted; `[SWAP]` for swap space in use.
    pub mounted: Vec<String>,
    /// Kernel devices that hold it open: device mapper, RAID.
    pub holders: Vec<String>,
    /// Signatures on the disk and on its partitions.
    pub signatures: Vec<Signature>,
    /// What the superblocks say, of the disk and of its partitions.
    pub probes: Vec<Probe>,
    /// ZFS labels on the disk and on its partitions; None when `zdb` is not installed.
    pub labels: Option<Vec<Label>>,
    /// The imported pool that it is a leg of.
    pub imported: Option<Member>,
    /// Its label is of an imported pool that has no such vdev any more.
    pub former: bool,
    /// The pool that could be imported and lists it.
    pub importable: Option<Member>,
    /// What its bytes are.
    pub content: Content,
    /// Looks that failed, in words: nothing is proven about what they would have found.
    pub failures: Vec<String>,
}

/// A pool that has a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The pool's name.
    pub name: String,
    /// The guid that ZFS gave it, as `zpool status -g` shows it.
    pub guid: u64,
}

impl Evidence {
    /// Nothing but what a half-made `zpool create` leaves: the partitions of ZFS's own types, and labels; or a partition
    /// table that was being written, of which one copy is there and no partition can be seen.
    #[must_use]
    pub fn only_marks_of_zfs(&self) -> bool {
        // usr/apple ZFS, and Solaris reserved: libefi writes no others.
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

    /// Whether all but a look at the bytes found nothing.
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

/// Looks at one disk; reads only. What cannot be looked at is noted among the failures. Nothing more is asked about a
/// disk that the machine runs from, or that is a leg of an imported pool: that settles what it is.
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

/// What is known of a disk before it is asked anything.
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

/// The error is of a program that did not finish: a disk that hangs is not asked anything else.
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

/// By lsblk and by findmnt: they read different sources.
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
