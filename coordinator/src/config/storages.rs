//! `[storages.NAME]`: the storages of Proxmox.

use std::collections::BTreeSet;

use heeler_proto::{Dataset, EnsureStorages, Mountpoint, Storage, StorageContent, StorageName, StoragePlace};

use super::reader::{Located, Report, Table, Unfit};
use super::values;
use super::{Config, Node};
use crate::known::nearest;

/// `[storages.NAME]`: one storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSettings {
    /// Its id in Proxmox.
    pub name: StorageName,
    /// Where it is.
    pub place: Located<PlaceSettings>,
    /// What it may hold; empty only when it is disabled.
    pub content: BTreeSet<StorageContent>,
    /// Whether nobody may use it.
    pub disabled: bool,
}

/// Where a storage is. A dataset is given by its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceSettings {
    /// Disks of guests as volumes below the dataset.
    ZfsPool {
        /// The dataset.
        dataset: String,
        /// Whether volumes take space only as they are written.
        sparse: bool,
    },
    /// Files in the dataset, where it is mounted.
    Dir(String),
    /// Proxmox's own `local` on the SD card.
    Card,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    ZfsPool,
    Dir,
}

pub(super) fn storages(mut table: Table<'_, '_>) -> Vec<StorageSettings> {
    let names = table.names();
    let read = |(name, value): (Located<String>, _)| {
        let checked = table.check(&name, self::name);
        let below = table.below(&name.value, name.place, value)?;
        match name.value.as_str() {
            Storage::LOCAL => local(checked?.value, below),
            _ => storage(checked.map(|name| name.value), below),
        }
    };
    names.into_iter().filter_map(read).collect()
}

fn local(name: StorageName, mut table: Table<'_, '_>) -> Option<StorageSettings> {
    let place = Located {
        value: PlaceSettings::Card,
        place: table.place,
    };
    let (content, disabled) = content(&mut table, |kind| match kind.is_heavy() {
        false => Ok(kind),
        true => Err(Unfit::new(
            format!(
                "the storage local is on the SD card, which {} would fill and wear out",
                kind.word()
            ),
            "give it to a storage on the pool",
        )),
    });
    table.finish();
    Some(StorageSettings {
        name,
        place,
        content: content?,
        disabled,
    })
}

fn storage(name: Option<StorageName>, mut table: Table<'_, '_>) -> Option<StorageSettings> {
    let example = "type = \"zfspool\" for disks of guests, or \"dir\" for files";
    let kind = table.required("type", example, |text| match text {
        "zfspool" => Ok(Type::ZfsPool),
        "dir" => Ok(Type::Dir),
        _ => Err(Unfit::not(text, "a type of storage", "\"zfspool\" or \"dir\"")),
    });
    let dataset = table.required(
        "dataset",
        "dataset = \"data/vm\" with the dataset that it uses",
        |text| values::dataset(text, "none").map(|dataset| dataset.name),
    );
    let volumes_only = kind.as_ref().is_some_and(|kind| kind.value == Type::ZfsPool);
    let sparse = match volumes_only {
        true => table.switch("sparse").is_none_or(|sparse| sparse.value),
        false => false,
    };
    let (content, disabled) = content(&mut table, |kind| {
        match !volumes_only || matches!(kind, StorageContent::Images | StorageContent::Rootdir) {
            true => Ok(kind),
            false => Err(Unfit::new(
                format!("a zfspool cannot hold {}", kind.word()),
                "\"images\" and \"rootdir\"; a dir holds the others",
            )),
        }
    });
    table.finish();
    let (kind, dataset) = (kind?.value, dataset?);
    let value = match kind {
        Type::ZfsPool => PlaceSettings::ZfsPool {
            dataset: dataset.value,
            sparse,
        },
        Type::Dir => PlaceSettings::Dir(dataset.value),
    };
    let place = Located {
        value,
        place: dataset.place,
    };
    Some(StorageSettings {
        name: name?,
        place,
        content: content?,
        disabled,
    })
}

/// Content, and whether the storage is disabled. The content is None when it is refused or missing.
fn content(
    table: &mut Table<'_, '_>,
    fits: impl Fn(StorageContent) -> Result<StorageContent, Unfit>,
) -> (Option<BTreeSet<StorageContent>>, bool) {
    let disabled = table.switch("disabled").is_some_and(|disabled| disabled.value);
    if !disabled {
        table.demand(
            "content",
            "content = [\"iso\", \"vztmpl\"] with what it may hold, or disabled = true",
        );
    }
    let known = || StorageContent::ALL.map(StorageContent::word);
    let list = table.list("content", |text| {
        let kind = StorageContent::ALL.into_iter().find(|kind| kind.word() == text);
        kind.map_or_else(
            || {
                Err(Unfit::not(
                    text,
                    "a kind of content",
                    format!("known: {}", known().join(", ")),
                ))
            },
            &fits,
        )
    });
    let empty = list.as_ref().is_some_and(|list| list.value.is_empty()) && !disabled;
    if empty {
        table.error_at(&list, "content is empty", "write what it may hold, or disabled = true");
    }
    match list {
        Some(list) => (Some(list.value.into_iter().map(|kind| kind.value).collect()), disabled),
        None => (disabled.then(BTreeSet::new), disabled),
    }
}

fn name(text: &str) -> Result<StorageName, Unfit> {
    StorageName::new(text).map_err(|_| {
        let hint = "start with a letter; then letters, digits and -_.; 2 to 64";
        Unfit::not(text, "a name of a storage", hint)
    })
}

impl Config {
    /// The storages of a node with these datasets; None when heeler.toml has none. A node without disks has only `local`.
    pub(super) fn storages(&self, node: &Node, datasets: &[Dataset]) -> Option<EnsureStorages> {
        let storage = |said: &StorageSettings| {
            let place = match &said.place.value {
                PlaceSettings::Card => StoragePlace::Card,
                _ if node.disks.is_empty() => return None,
                PlaceSettings::ZfsPool { dataset, sparse } => StoragePlace::ZfsPool {
                    dataset: dataset.clone(),
                    sparse: *sparse,
                },
                PlaceSettings::Dir(dataset) => StoragePlace::Dir {
                    dataset: dataset.clone(),
                    path: datasets.iter().find(|one| one.name == *dataset)?.mountpoint.clone(),
                },
            };
            Some(Storage {
                name: said.name.clone(),
                place,
                content: said.content.clone(),
                disabled: said.disabled,
            })
        };
        let storages: Vec<Storage> = self.storages.iter().filter_map(storage).collect();
        (!storages.is_empty()).then_some(EnsureStorages { storages })
    }

    /// Every storage is on a dataset of each node with disks; files need one that is mounted.
    pub(super) fn check_storages(&self, report: &Report<'_>) {
        if let Some(one) = self.storages.get(EnsureStorages::MOST) {
            let message = format!("more than {} storages", EnsureStorages::MOST);
            report.error(one.place.place, message, "leave some out");
        }
        for wanted in self.wanted_nodes().iter().filter(|wanted| !wanted.disks.is_empty()) {
            for storage in &self.storages {
                let place = storage.place.place;
                let (dataset, is_dir) = match &storage.place.value {
                    PlaceSettings::Card => continue,
                    PlaceSettings::ZfsPool { dataset, .. } => (dataset, false),
                    PlaceSettings::Dir(dataset) => (dataset, true),
                };
                let known = || wanted.datasets.iter().map(|one| one.name.as_str());
                match wanted.datasets.iter().find(|one| one.name == *dataset) {
                    None => {
                        let hint = match nearest(dataset, known()) {
                            Some(near) => format!("did you mean {near:?}?"),
                            None => format!("known: {}", Vec::from_iter(known()).join(", ")),
                        };
                        report.error(place, format!("{} has no dataset {dataset}", wanted.name), hint);
                    }
                    Some(found) if is_dir && found.mountpoint == Mountpoint::None => {
                        let hint = "give it a mountpoint in pool.datasets, or take another dataset";
                        report.error(place, format!("{dataset} has no mountpoint, and files need one"), hint);
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
