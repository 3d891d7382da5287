use super::words;
use super::{Content, Evidence};
use crate::zdb::LabelState;

/// What a disk is to Heeler. Only a [`DiskState::Blank`] one may become part of a new pool, once every byte of it is
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskState {
    /// It looks blank: no partition, signature, label, holder or mount, and every byte that was read is zero. That is
    /// no proof: between those bytes there may be data.
    Blank,
    /// It has the label of a pool.
    PoolMember {
        /// The pool's name; empty on a spare or cache device.
        name: String,
        /// The guid that ZFS gave it, as `zpool status -g` shows it.
        guid: u64,
        /// How the pool was left.
        state: MemberState,
        /// Transaction group (txg) of the newest label; 0 when no label was read.
        txg: u64,
        /// Host name of the machine that last used the pool; empty when unknown.
        hostname: String,
        /// Host id of that machine; 0 when unknown.
        hostid: u64,
    },
    /// The machine runs from it.
    System {
        /// Its mountpoints, such as `/, /boot/firmware`.
        what: String,
    },
    /// It holds data, or may hold some.
    Foreign {
        /// What was found, as a message.
        finding: String,
    },
    /// Nothing was found, but a check failed.
    Unproven {
        /// Which check failed, as a message.
        missing: String,
    },
}

/// How the pool on a disk was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// Imported on this machine.
    Active,
    /// Exported.
    Exported,
    /// Destroyed: the data is still there, and `zpool import -D` brings it back.
    Destroyed,
    /// Its pool is imported on this machine without this vdev, which was replaced, detached or removed.
    Former,
    /// Neither exported nor imported here: its machine lost power or crashed, or still uses it.
    PotentiallyActive,
}

/// The state of a disk as one word, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Looks blank; every byte is read before it is used.
    Blank,
    /// A leg of a pool that is imported here.
    Pool,
    /// The machine runs from it.
    System,
    /// Holds something, or could not be checked.
    Foreign,
}

/// Judges the evidence; pure.
pub fn disk_state(evidence: &Evidence) -> DiskState {
    if let Some(what) = words::system(&evidence.mounted) {
        return DiskState::System { what };
    }
    if let Some(member) = member(evidence) {
        return member;
    }
    if let Some(finding) = words::finding(evidence) {
        return DiskState::Foreign { finding };
    }
    let unproven = |missing: &str| DiskState::Unproven {
        missing: missing.to_owned(),
    };
    match (&evidence.content, evidence.failures.first(), &evidence.labels) {
        (Content::Data { offset, what }, ..) => DiskState::Foreign {
            finding: format!("{what} at byte {offset}"),
        },
        (Content::Unreadable(why), ..) => unproven(why),
        (_, Some(failure), _) => unproven(failure),
        (_, _, None) => unproven("zdb is not installed: apt-get install zfsutils-linux"),
        (Content::NotRead, ..) => unproven("its bytes were not read"),
        (Content::Zero, None, Some(_)) => DiskState::Blank,
    }
}

fn member(evidence: &Evidence) -> Option<DiskState> {
    let labels = evidence.labels.as_deref().unwrap_or_default();
    let of_pool = evidence.imported.as_ref().or(evidence.importable.as_ref());
    let newest = labels.iter().max_by_key(|label| {
        let same = of_pool.is_some_and(|pool| pool.guid == label.pool_guid);
        (same, label.txg)
    });
    let state = match (&evidence.imported, newest.map(|label| label.state)) {
        (Some(_), _) => MemberState::Active,
        (None, Some(LabelState::Exported)) => MemberState::Exported,
        (None, Some(LabelState::Destroyed)) => MemberState::Destroyed,
        (None, _) if evidence.former => MemberState::Former,
        (None, _) => MemberState::PotentiallyActive,
    };
    let (name, guid) = match (of_pool, newest) {
        (Some(pool), _) => (pool.name.clone(), pool.guid),
        (None, Some(label)) => (label.name.clone(), label.pool_guid),
        (None, None) => return None,
    };
    let newest = newest.cloned().unwrap_or_default();
    Some(DiskState::PoolMember {
        name,
        guid,
        state,
        txg: newest.txg,
        hostname: newest.hostname,
        hostid: newest.hostid,
    })
}

impl DiskState {
    /// What was found, as a message: `looks blank (sampled)`, `ext4 file system "backup"`, `member of pool data`.
    pub fn finding(&self) -> String {
        match self {
            Self::Blank => "looks blank (sampled)".to_owned(),
            Self::PoolMember {
                name,
                guid,
                state,
                hostname,
                ..
            } => words::member(name, *guid, *state, hostname),
            Self::System { what } => format!("in use by the system: {what}"),
            Self::Foreign { finding } => finding.clone(),
            Self::Unproven { missing } => format!("not proven blank: {missing}"),
        }
    }

    /// Why `zpool create` may not use it; None when it looks blank.
    pub const fn refusal(&self) -> Option<&'static str> {
        Some(match self {
            Self::Blank => return None,
            Self::PoolMember { state, .. } => match state {
                MemberState::Active => "it is a leg of a pool that is in use",
                MemberState::Exported => "an exported pool's data is on it",
                MemberState::Destroyed => "a destroyed pool's data is still on it",
                MemberState::Former => "an old copy of a pool's data is still on it",
                MemberState::PotentiallyActive => {
                    "a pool that was never exported is on it, and may be in use elsewhere"
                }
            },
            Self::System { .. } => "this machine runs from it",
            Self::Foreign { .. } => "a pool is made only on disks that are proven blank",
            Self::Unproven { .. } => {
                "a pool is made only on disks that are proven blank, and this disk could not be proven blank"
            }
        })
    }

    /// The guid of the pool on it; None when it has no label, or one that names no pool.
    pub const fn pool_guid(&self) -> Option<u64> {
        match self {
            Self::PoolMember { guid, .. } if *guid != 0 => Some(*guid),
            _ => None,
        }
    }

    /// The state as one word.
    pub const fn in_use(&self) -> Use {
        match self {
            Self::Blank => Use::Blank,
            Self::PoolMember {
                state: MemberState::Active,
                ..
            } => Use::Pool,
            Self::System { .. } => Use::System,
            Self::PoolMember { .. } | Self::Foreign { .. } | Self::Unproven { .. } => Use::Foreign,
        }
    }
}
