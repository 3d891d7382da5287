use serde::{Deserialize, Serialize};

use crate::{Canonical, Invalid, PoolGuid, PoolName, Serial, v1};

/// A change that cannot be undone, described by facts that survive a reboot (serials, sizes, guids, properties),
/// never by a kernel's name for a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Irreversible {
    /// A mirror is made on disks that are proven blank, or that an operator accepts as blank.
    CreatePool(CreatePool),
    /// A whole disk is overwritten.
    EraseContents(EraseContents),
    /// A pool is imported without all of its legs; what only the missing legs hold is lost.
    ImportPool(ImportPool),
    /// Fewer snapshots are kept than before; the others are destroyed.
    LowerKeep(LowerKeep),
}

/// A disk as a consent names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DiskIdentity {
    /// The serial that the drive reports.
    pub serial: Serial,
    /// The size of the whole device in bytes.
    pub size_bytes: u64,
}

/// A mirror is made on disks that are proven blank, or that an operator accepts as blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatePool {
    /// The new pool's name.
    pub pool: PoolName,
    /// The legs of its mirror.
    pub disks: Vec<DiskIdentity>,
    /// Pool and root dataset properties, as `zpool create` takes them: `ashift=12`, `compression=lz4`…
    pub properties: Vec<(String, String)>,
    /// The legs of which not every byte is read first, because an operator accepts them as blank.
    #[serde(default)]
    pub unread: Vec<Serial>,
}

/// A whole disk is overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseContents {
    /// The disk to overwrite.
    pub disk: DiskIdentity,
    /// What the disk holds, in the words that the operator was shown.
    pub finding: String,
}

/// A pool is imported without all of its legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPool {
    /// The guid of the pool to import.
    pub guid: PoolGuid,
    /// The legs that are present, each with the transaction group (txg) of its ZFS label.
    pub present: Vec<(DiskIdentity, u64)>,
    /// Serials of legs on record that are absent.
    pub missing: Vec<Serial>,
}

/// Fewer snapshots are kept than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerKeep {
    /// One for each dataset that keeps fewer.
    pub changes: Vec<KeepChange>,
    /// The snapshots that the old counts keep and the new ones do not: `DATASET@NAME` and guid. They are destroyed
    /// once they are old enough.
    pub victims: Vec<(String, u64)>,
}

/// An operator takes a hold off a snapshot, which can then be destroyed. It is not part of a task: its consent comes
/// with the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHold {
    /// `DATASET@NAME` of the snapshot.
    pub snapshot: String,
    /// The tag of the hold, as `zfs hold` takes it.
    pub tag: String,
}

/// How the bytes of a change begin.
const LABEL: &str = "heeler act 2";

impl ReleaseHold {
    /// The digest that a consent is bound to. It differs from that of any other change.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Canonical::new(LABEL);
        bytes.number(5).text(&self.snapshot).text(&self.tag);
        bytes.sha256()
    }
}

/// The counts of snapshots to keep of one dataset, before and after, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeepChange {
    /// The dataset's full name, such as `data/pve-files`.
    pub dataset: String,
    /// Such as "24 hourly, 14 daily"; empty when the dataset had no policy.
    pub before: String,
    /// Such as "24 hourly, 14 daily".
    pub after: String,
}

impl Irreversible {
    /// The bytes that identify the change, the order of disks and properties aside: each case has a number of its own,
    /// 1 to 4.
    pub fn canonical(&self) -> Canonical {
        let mut bytes = Canonical::new(LABEL);
        match self {
            Self::CreatePool(create) => {
                bytes.number(1).text(create.pool.as_str());
                bytes.set(&create.disks, add_disk);
                bytes.set(&create.properties, |bytes, (name, value)| {
                    bytes.text(name).text(value);
                });
                bytes.set(&create.unread, add_serial);
            }
            Self::EraseContents(erase) => {
                bytes.number(2);
                add_disk(&mut bytes, &erase.disk);
                bytes.text(&erase.finding);
            }
            Self::ImportPool(import) => {
                bytes.number(3).number(import.guid.0);
                bytes.set(&import.present, |bytes, (disk, txg)| {
                    add_disk(bytes, disk);
                    bytes.number(*txg);
                });
                bytes.set(&import.missing, add_serial);
            }
            Self::LowerKeep(lower) => {
                bytes.number(4);
                bytes.set(&lower.changes, |bytes, change| {
                    bytes.text(&change.dataset).text(&change.before).text(&change.after);
                });
                bytes.set(&lower.victims, |bytes, (name, guid)| {
                    bytes.text(name).number(*guid);
                });
            }
        }
        bytes
    }

    /// SHA-256 of [`Self::canonical`]: the digest that a consent is bound to.
    pub fn digest(&self) -> [u8; 32] {
        self.canonical().sha256()
    }
}

fn add_disk(bytes: &mut Canonical, disk: &DiskIdentity) {
    bytes.text(disk.serial.as_str()).number(disk.size_bytes);
}

fn add_serial(bytes: &mut Canonical, serial: &Serial) {
    bytes.text(serial.as_str());
}

impl TryFrom<v1::DiskIdentity> for DiskIdentity {
    type Error = Invalid;
    fn try_from(wire: v1::DiskIdentity) -> Result<Self, Invalid> {
        Ok(Self {
            serial: Serial::new(&wire.serial)?,
            size_bytes: wire.size_bytes,
        })
    }
}

impl From<DiskIdentity> for v1::DiskIdentity {
    fn from(disk: DiskIdentity) -> Self {
        Self {
            serial: disk.serial.into(),
            size_bytes: disk.size_bytes,
        }
    }
}

impl TryFrom<v1::Irreversible> for Irreversible {
    type Error = Invalid;
    fn try_from(wire: v1::Irreversible) -> Result<Self, Invalid> {
        use v1::irreversible::Act;
        let disks = |wire: Vec<v1::DiskIdentity>| {
            wire.into_iter()
                .map(TryInto::try_into)
                .collect::<Result<Vec<_>, Invalid>>()
        };
        let serials = |wire: Vec<String>| {
            wire.iter()
                .map(|text| Serial::new(text))
                .collect::<Result<Vec<_>, Invalid>>()
        };
        Ok(match wire.act.ok_or_else(|| Invalid::missing("irreversible.act"))? {
            Act::CreatePool(create) => Self::CreatePool(CreatePool {
                pool: PoolName::new(&create.pool)?,
                disks: disks(create.disks)?,
                properties: create.properties.into_iter().map(|one| (one.name, one.value)).collect(),
                unread: serials(create.unread)?,
            }),
            Act::EraseContents(erase) => Self::EraseContents(EraseContents {
                disk: erase
                    .disk
                    .ok_or_else(|| Invalid::missing("erase_contents.disk"))?
                    .try_into()?,
                finding: erase.finding,
            }),
            Act::ImportPool(import) => {
                if import.present.len() != import.txgs.len() {
                    return Err(Invalid::new("import_pool.txgs", "one is needed for each present disk"));
                }
                Self::ImportPool(ImportPool {
                    guid: PoolGuid::parse(&import.guid)?,
                    present: disks(import.present)?.into_iter().zip(import.txgs).collect(),
                    missing: serials(import.missing)?,
                })
            }
            Act::LowerKeep(lower) => {
                let change = |one: v1::KeepChange| KeepChange {
                    dataset: one.dataset,
                    before: one.before,
                    after: one.after,
                };
                let victim = |one: v1::SnapshotIdentity| match one.guid.parse() {
                    Ok(guid) if one.name.contains('@') => Ok((one.name, guid)),
                    _ => Err(Invalid::new("lower_keep.victims", format!("{:?}", one.name))),
                };
                Self::LowerKeep(LowerKeep {
                    changes: lower.changes.into_iter().map(change).collect(),
                    victims: lower.victims.into_iter().map(victim).collect::<Result<_, _>>()?,
                })
            }
        })
    }
}

impl From<Irreversible> for v1::Irreversible {
    fn from(act: Irreversible) -> Self {
        use v1::irreversible::Act;
        let act = match act {
            Irreversible::CreatePool(create) => Act::CreatePool(v1::CreatePool {
                pool: create.pool.into(),
                disks: create.disks.into_iter().map(Into::into).collect(),
                properties: create
                    .properties
                    .into_iter()
                    .map(|(name, value)| v1::Property { name, value })
                    .collect(),
                unread: create.unread.into_iter().map(Into::into).collect(),
            }),
            Irreversible::EraseContents(erase) => Act::EraseContents(v1::EraseContents {
                disk: Some(erase.disk.into()),
                finding: erase.finding,
            }),
            Irreversible::ImportPool(import) => Act::ImportPool(v1::ImportPool {
                guid: import.guid.to_string(),
                txgs: import.present.iter().map(|(_, txg)| *txg).collect(),
                present: import.present.into_iter().map(|(disk, _)| disk.into()).collect(),
                missing: import.missing.into_iter().map(Into::into).collect(),
            }),
            Irreversible::LowerKeep(lower) => Act::LowerKeep(v1::LowerKeep {
                changes: lower
                    .changes
                    .into_iter()
                    .map(|one| v1::KeepChange {
                        dataset: one.dataset,
                        before: one.before,
                        after: one.after,
                    })
                    .collect(),
                victims: lower
                    .victims
                    .into_iter()
                    .map(|(name, guid)| v1::SnapshotIdentity {
                        name,
                        guid: guid.to_string(),
                    })
                    .collect(),
            }),
        };
        Self { act: Some(act) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(serial: &str) -> DiskIdentity {
        DiskIdentity {
            serial: Serial::new(serial).unwrap(),
            size_bytes: 128,
        }
    }

    fn create(disks: Vec<DiskIdentity>, value: &str) -> Irreversible {
        let properties = vec![("ashift".to_owned(), value.to_owned())];
        Irreversible::CreatePool(CreatePool {
            pool: PoolName::new("data").unwrap(),
            disks,
            properties,
            unread: vec![],
        })
    }

    #[test]
    fn a_consent_covers_which_disks_are_not_read() {
        let unread = |serials: &[&str]| {
            let Irreversible::CreatePool(create) = create(vec![disk("A"), disk("B")], "12") else {
                panic!("it is a creation");
            };
            let unread = serials.iter().map(|serial| Serial::new(serial).unwrap()).collect();
            Irreversible::CreatePool(CreatePool { unread, ..create })
        };
        let acts = [unread(&[]), unread(&["A"]), unread(&["B"]), unread(&["A", "B"])];
        for (at, act) in acts.iter().enumerate() {
            let same = acts.iter().filter(|other| other.digest() == act.digest()).count();
            assert_eq!(same, 1, "{at}");
            assert_eq!(
                Irreversible::try_from(v1::Irreversible::from(act.clone())).as_ref(),
                Ok(act)
            );
        }
        assert_eq!(unread(&["B", "A"]).digest(), unread(&["A", "B"]).digest());
    }

    #[test]
    fn only_disk_order_leaves_the_digest_unchanged() {
        let digest = create(vec![disk("A"), disk("B")], "12").digest();
        assert_eq!(digest, create(vec![disk("B"), disk("A")], "12").digest());
        assert_ne!(digest, create(vec![disk("A"), disk("C")], "12").digest());
        assert_ne!(digest, create(vec![disk("A"), disk("B")], "9").digest());
        assert_ne!(
            digest,
            create(
                vec![
                    disk("A"),
                    DiskIdentity {
                        size_bytes: 129,
                        ..disk("B")
                    }
                ],
                "12"
            )
            .digest()
        );
    }

    #[test]
    fn every_act_survives_encoding() {
        let import = ImportPool {
            guid: PoolGuid(7),
            present: vec![(disk("A"), 42)],
            missing: vec![Serial::new("B").unwrap()],
        };
        let lower = LowerKeep {
            changes: vec![KeepChange {
                dataset: "data/a".into(),
                before: "24 hourly".into(),
                after: "6 hourly".into(),
            }],
            victims: vec![("data/a@heeler_1".into(), u64::MAX)],
        };
        for act in [
            create(vec![disk("A"), disk("B")], "12"),
            Irreversible::ImportPool(import),
            Irreversible::LowerKeep(lower),
        ] {
            assert_eq!(Irreversible::try_from(v1::Irreversible::from(act.clone())), Ok(act));
        }
    }
}
