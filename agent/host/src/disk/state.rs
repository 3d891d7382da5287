use super::words;
use super::{Content, Evidence};
use crate::zdb::LabelState;

/// What a disk is to Heeler. Only [`DiskState::Blank`] may be given to `zpool create`, once every byte of it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskState {
    /// It looks blank: no partition, signature, label, holder or mount, and every byte looked at is zero. Between those
    /// there may be data: this is no proof.
    Blank,
    /// It carries the label of a pool.
    PoolMember {
        /// The pool's name.
        name: String,
        /// The guid that ZFS gave it, as `zpool status -g` shows it.
        guid: u64,
        /// How the pool was left.
        state: MemberState,
        /// Transaction group of the newest label; 0 when no label was read.
        txg: u64,
        /// The machine that had it last; empty when unknown.
        hostname: String,
        /// Likewise; 0 when unknown.
        hostid: u64,
    },
    /// The machine runs from it.
    System {
        /// `/, /boot/firmware`.
        what: String,
    },
    /// It holds something, or might.
    Foreign {
        /// In words.
        finding: String,
    },
    /// Nothing was found, and not everything could be looked at.
    Unproven {
        /// What could not be looked at.
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
    /// Destroyed: the data is still there, and `zpool import -D` would bring it back.
    Destroyed,
    /// Its pool is imported on this machine and has no such vdev any more: it was replaced, detached or removed.
    Former,
    /// Neither exported nor imported here: a machine went down with it, or still has it.
    PotentiallyActive,
}

/// A disk in a word, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Looks blank.
    Blank,
    /// A leg of a pool that is imported here.
    Pool,
    /// The machine runs from it.
    System,
    /// Refused.
    Foreign,
}

/// Judges: pure.
#[must_use]
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
    /// What was found, in words: `looks blank (sampled)`, `ext4 file system "backup"`, `member of pool data`.
    #[must_use]
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

    /// Why it is not given to `zpool create`; None for one that looks blank.
    #[must_use]
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
            Self::Unproven { .. } => "a pool is made only on disks that are proven blank, and this could not be",
        })
    }

    /// Guid of the pool whose label it carries; None also for a label that names none.
    #[must_use]
    pub const fn pool_guid(&self) -> Option<u64> {
        match self {
            Self::PoolMember { guid, .. } if *guid != 0 => Some(*guid),
            _ => None,
        }
    }

    /// In a word.
    #[must_use]
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
