use std::collections::BTreeSet;

use heeler_host::pvesm::{self, Storage, Volume};
use heeler_host::zfs::{self, Dataset, Module};
use heeler_host::{RunError, System, findmnt};
use heeler_proto::{EnsureStorages, StoragePlace};

use super::super::proxmox_up::Silent;
use crate::engine::{Op, Plan, Step, StepName};

/// Proxmox has the storages as heeler.toml describes them. Those that heeler.toml does not name stay.
pub(super) struct StoragesExist {
    pub(super) task: EnsureStorages,
}

pub(super) struct Observed {
    there: Vec<Storage>,
    /// What the storages hold that get fewer kinds of content, or are disabled.
    volumes: Vec<Volume>,
    datasets: Vec<Dataset>,
    /// Dataset and mountpoint of each mounted one.
    mounts: Vec<(String, String)>,
}

impl Step for StoragesExist {
    const NAME: StepName = "StoragesExist";
    type Observed = Result<Observed, Silent>;

    async fn observe(&self, host: &dyn System) -> Result<Result<Observed, Silent>, RunError> {
        if let Some(silent) = Silent::now(host).await? {
            return Ok(Err(silent));
        }
        let there = pvesm::storages(host).await?;
        let mut volumes = Vec::new();
        for wanted in &self.task.storages {
            let wanted = in_proxmox(wanted);
            if there.iter().any(|storage| takes_away(storage, &wanted)) {
                volumes.extend(pvesm::volumes(host, &wanted.name).await?);
            }
        }
        let datasets = match zfs::module(host).await? {
            Module::Loaded { .. } => zfs::datasets(host).await?,
            _ => Vec::new(),
        };
        let mounts = findmnt::mounts(host).await?.into_iter();
        let mounts = mounts.filter(|mount| mount.kind == "zfs");
        Ok(Ok(Observed {
            there,
            volumes,
            datasets,
            mounts: mounts.map(|mount| (mount.source, mount.target)).collect(),
        }))
    }

    fn plan(&self, seen: &Result<Observed, Silent>) -> Plan {
        let seen = match seen {
            Ok(seen) => seen,
            Err(silent) => return silent.plan(),
        };
        let mut ops = Vec::new();
        for storage in &self.task.storages {
            if !seen.has_place(&storage.place) {
                return Plan::After("DatasetsExist");
            }
            let wanted = in_proxmox(storage);
            let Some(there) = seen.there.iter().find(|there| there.name == wanted.name) else {
                ops.push(Op::Run(pvesm::add_command(&wanted)));
                continue;
            };
            if let Some(blocked) = elsewhere(there, &wanted).or_else(|| seen.in_use(there, &wanted)) {
                return blocked;
            }
            ops.extend(pvesm::set_command(there, &wanted).map(Op::Run));
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}

/// As Proxmox has it.
fn in_proxmox(storage: &heeler_proto::Storage) -> Storage {
    let (kind, place, sparse) = match &storage.place {
        StoragePlace::ZfsPool { dataset, sparse } => ("zfspool", dataset.clone(), *sparse),
        StoragePlace::Dir { path, .. } => ("dir", path.to_string(), false),
        StoragePlace::Card => ("dir", "/var/lib/vz".to_owned(), false),
    };
    Storage {
        name: storage.name.as_str().to_owned(),
        kind: kind.to_owned(),
        place,
        content: storage.content.iter().map(|kind| kind.word().to_owned()).collect(),
        disabled: storage.disabled,
        sparse,
        only_mounted: matches!(storage.place, StoragePlace::Dir { .. }),
    }
}

/// Whether what the storage holds may no longer be used after the change.
fn takes_away(there: &Storage, wanted: &Storage) -> bool {
    let fewer = !there.content.is_subset(&wanted.content) || wanted.disabled;
    there.name == wanted.name && !there.disabled && fewer
}

/// A storage of that name at another place: Proxmox never changes a storage's place.
fn elsewhere(there: &Storage, wanted: &Storage) -> Option<Plan> {
    let said = |storage: &Storage| format!("{} {}", storage.kind, storage.place);
    (said(there) != said(wanted)).then(|| {
        let name = &wanted.name;
        Plan::blocked(
            format!("Proxmox has a storage {name} already: {}", said(there).trim_end()),
            format!("heeler.toml says {}, and a storage never moves", said(wanted)),
            "give the storage another name in heeler.toml, or write there what Proxmox has; then: heeler apply",
        )
    })
}

impl Observed {
    /// Whether the dataset is there, and mounted where files are to be kept.
    fn has_place(&self, place: &StoragePlace) -> bool {
        match place {
            StoragePlace::ZfsPool { dataset, .. } => self.datasets.iter().any(|there| there.name == *dataset),
            StoragePlace::Dir { dataset, path } => {
                let wanted = (dataset.clone(), path.to_string());
                self.mounts.contains(&wanted)
            }
            StoragePlace::Card => true,
        }
    }

    /// Guests and files that could no longer be used.
    fn in_use(&self, there: &Storage, wanted: &Storage) -> Option<Plan> {
        if !takes_away(there, wanted) {
            return None;
        }
        let kept = |volume: &&Volume| !wanted.disabled && wanted.content.contains(&volume.content);
        let own = |volume: &&Volume| volume.id.split(':').next() == Some(wanted.name.as_str());
        let left: Vec<&Volume> = self.volumes.iter().filter(own).filter(|volume| !kept(volume)).collect();
        let first = left.first()?;
        let kinds: BTreeSet<&str> = left.iter().map(|volume| volume.content.as_str()).collect();
        let kinds = Vec::from_iter(kinds).join(", ");
        let others = match left.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let name = &wanted.name;
        Some(Plan::blocked(
            format!("the storage {name} holds {kinds}: {}{others}", first.id),
            "Proxmox would no longer use it, and a guest that needs it would not start",
            match name.as_str() {
                heeler_proto::Storage::LOCAL => format!(
                    "move it to another storage in Proxmox, or take [storages.{name}] out of heeler.toml; then: heeler apply"
                ),
                _ => format!(
                    "move it to another storage in Proxmox, or let {name} hold {kinds} in heeler.toml; then: heeler apply"
                ),
            },
        ))
    }
}
