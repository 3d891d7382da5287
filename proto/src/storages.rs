use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Mountpoint, Spec, dataset_name};

/// The id of a storage of Proxmox: 2 to 64 letters, digits and `-_.`, the first a letter, the last a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorageName(String);

impl StorageName {
    /// Fails for anything but 2 to 64 letters, digits and `-_.`, the first a letter, the last a letter or digit.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let inner = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let ends =
            text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.ends_with(|c: char| c.is_ascii_alphanumeric());
        match inner && ends && (2..=64).contains(&text.len()) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new(
                "storage",
                format!("{text:?} is not the name of a storage"),
            )),
        }
    }
}
text!(StorageName);

/// What a storage may hold, in Proxmox's words (pvesm(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageContent {
    /// Backups of guests.
    Backup,
    /// Disks of virtual machines.
    Images,
    /// Disks that a virtual machine is made of.
    Import,
    /// CD images.
    Iso,
    /// Root file systems of containers.
    Rootdir,
    /// Files of hooks and cloud-init.
    Snippets,
    /// Templates of containers.
    Vztmpl,
}

impl StorageContent {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Backup,
        Self::Images,
        Self::Import,
        Self::Iso,
        Self::Rootdir,
        Self::Snippets,
        Self::Vztmpl,
    ];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Images => "images",
            Self::Import => "import",
            Self::Iso => "iso",
            Self::Rootdir => "rootdir",
            Self::Snippets => "snippets",
            Self::Vztmpl => "vztmpl",
        }
    }

    /// Whether it is a guest's disk.
    const fn of_guests(self) -> bool {
        matches!(self, Self::Images | Self::Rootdir)
    }

    /// Whether it is so much, or written so often, that it would fill and wear out an SD card.
    pub const fn is_heavy(self) -> bool {
        self.of_guests() || matches!(self, Self::Backup | Self::Import)
    }
}

/// Where a storage keeps what it holds; this never changes for a storage that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum StoragePlace {
    /// Datasets and volumes below a dataset.
    ZfsPool {
        /// Full name, such as `data/vm`.
        dataset: String,
        /// Whether volumes take space only as they are written.
        sparse: bool,
    },
    /// Files in a dataset.
    Dir {
        /// Full name, such as `data/pve-files`.
        dataset: String,
        /// Its mountpoint.
        path: Mountpoint,
    },
    /// Proxmox's own `local`, at `/var/lib/vz` on the SD card.
    Card,
}

/// A storage of Proxmox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Its id.
    pub name: StorageName,
    /// Where it is.
    pub place: StoragePlace,
    /// What it may hold: at least one kind, unless it is disabled.
    pub content: BTreeSet<StorageContent>,
    /// Whether nobody may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

impl Storage {
    /// The id of [`StoragePlace::Card`], and of no other.
    pub const LOCAL: &str = "local";

    fn check(&self) -> Result<(), Invalid> {
        let bad = |problem: String| Err(Invalid::new("storage", format!("{}: {problem}", self.name)));
        let only = |fits: fn(StorageContent) -> bool| self.content.iter().find(|kind| !fits(**kind));
        if self.content.is_empty() && !self.disabled {
            return bad("it may hold nothing".to_owned());
        }
        let (dataset, wrong) = match &self.place {
            StoragePlace::ZfsPool { dataset, .. } => (Some(dataset), only(StorageContent::of_guests)),
            StoragePlace::Dir { dataset, path } if *path != Mountpoint::None => (Some(dataset), None),
            StoragePlace::Dir { dataset, .. } => return bad(format!("{dataset} has no mountpoint")),
            StoragePlace::Card => (None, only(|kind| !kind.is_heavy())),
        };
        if dataset.is_none() != (self.name.as_str() == Self::LOCAL) {
            return bad("local is Proxmox's own storage on the SD card, and no other one".to_owned());
        }
        if let Some(dataset) = dataset {
            dataset_name(dataset)?;
        }
        match wrong {
            Some(kind) => bad(format!("{} does not belong there", kind.word())),
            None => Ok(()),
        }
    }
}

/// Task: Proxmox has these storages. Others stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureStorages {
    /// At most [`EnsureStorages::MOST`], each id once.
    pub storages: Vec<Storage>,
}

impl EnsureStorages {
    /// The most storages.
    pub const MOST: usize = 64;
}

impl Spec for EnsureStorages {
    fn check(&self) -> Result<(), Invalid> {
        let names: BTreeSet<&StorageName> = self.storages.iter().map(|storage| &storage.name).collect();
        if names.len() < self.storages.len() || names.len() > Self::MOST {
            let most = Self::MOST;
            return Err(Invalid::new(
                "storages",
                format!("one is there twice, or more than {most} are"),
            ));
        }
        self.storages.iter().try_for_each(Storage::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_has_a_name_that_proxmox_accepts() {
        for good in ["local", "local-nvme", "d1", "a.b_c-9"] {
            assert!(StorageName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "x", "-a", "1a", "a-", "bad id", "a/b", "é1", &"a".repeat(65)] {
            assert!(StorageName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_words_are_those_on_the_wire() {
        for kind in StorageContent::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
    }
}
