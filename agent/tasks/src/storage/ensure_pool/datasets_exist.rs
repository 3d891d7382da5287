use std::io;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::findmnt::Mount;
use heeler_host::zfs::{Dataset as Found, Module};
use heeler_host::{Command, RunError, System, chattr, findmnt, zfs};
use heeler_proto::{Dataset, Mountpoint};

use crate::engine::{Op, Plan, Step, StepName};

const SETTLE: Duration = Duration::from_secs(10);

/// The datasets are there, mounted where they are wanted, and the folders below the mounts cannot be written.
pub(super) struct DatasetsExist {
    pub(super) datasets: Vec<Dataset>,
}

pub(super) enum Observed {
    NotLoaded,
    /// In the order of the wanted ones; `pool` says whether their pool is imported.
    Looked {
        pool: bool,
        datasets: Vec<Seen>,
    },
}

/// What is there of one dataset.
#[derive(Default)]
pub(super) struct Seen {
    found: Option<Found>,
    /// What is mounted at its mountpoint.
    mount: Option<Mount>,
    /// What is below the mount, when there is none.
    folder: Folder,
}

#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub(super) enum Folder {
    /// Of no interest: something is mounted on it, or it is wanted nowhere, or lies in another dataset.
    #[default]
    NotLooked,
    Missing {
        /// Whether its file system knows the attribute.
        can_be_immutable: bool,
    },
    Empty {
        /// None: its file system does not know the attribute.
        immutable: Option<bool>,
    },
    Full {
        first: String,
    },
}

#[async_trait]
impl Step for DatasetsExist {
    type Observed = Observed;

    fn name(&self) -> StepName {
        "DatasetsExist"
    }

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(Observed::NotLoaded);
        };
        let found = zfs::datasets(host).await?;
        let mounts = findmnt::mounts(host).await?;
        let pool = self.datasets.first().and_then(|dataset| dataset.name.split('/').next());
        let mut datasets = Vec::with_capacity(self.datasets.len());
        for wanted in &self.datasets {
            let mut seen = Seen {
                found: found.iter().find(|one| one.name == wanted.name).cloned(),
                ..Seen::default()
            };
            if let Mountpoint::At(path) = &wanted.mountpoint {
                seen.mount = mounts.iter().rfind(|mount| mount.target == *path).cloned();
                if seen.mount.is_none() && !self.inside_another(path) {
                    seen.folder = folder(host, path).await?;
                }
            }
            datasets.push(seen);
        }
        Ok(Observed::Looked {
            pool: pool.is_none_or(|pool| found.iter().any(|one| one.name == pool)),
            datasets,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let datasets = match seen {
            Observed::NotLoaded => return Plan::After("ZfsLoaded"),
            Observed::Looked { pool: false, .. } => return Plan::After("PoolExists"),
            Observed::Looked { datasets, .. } => datasets,
        };
        let mut ops = Vec::new();
        for (wanted, seen) in self.datasets.iter().zip(datasets) {
            match one(wanted, seen) {
                Ok(more) => ops.extend(more),
                Err(stopped) => return stopped,
            }
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::Change { ops, settle: SETTLE },
        }
    }
}

impl DatasetsExist {
    /// ZFS makes such a folder by itself, on the other dataset.
    fn inside_another(&self, path: &str) -> bool {
        self.datasets.iter().any(|other| match &other.mountpoint {
            Mountpoint::At(outer) => path
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.starts_with('/')),
            Mountpoint::None => false,
        })
    }
}

async fn folder(host: &dyn System, path: &str) -> Result<Folder, RunError> {
    match host.list(Path::new(path)).await {
        Ok(names) => Ok(match names.into_iter().next() {
            Some(first) => Folder::Full { first },
            None => Folder::Empty {
                immutable: chattr::is_immutable(host, path).await.ok(),
            },
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Folder::Missing {
            can_be_immutable: chattr::is_immutable(host, "/").await.is_ok(),
        }),
        Err(source) => Err(RunError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Looks at what is there before it says that something must be done: a name that exists proves nothing.
fn one(wanted: &Dataset, seen: &Seen) -> Result<Vec<Op>, Plan> {
    let (name, mountpoint) = (wanted.name.as_str(), wanted.mountpoint.to_string());
    if let Some(found) = &seen.found {
        let differs = |what: String, way_out: String| {
            let why = format!(
                "heeler.toml wants a file system that is mounted at {mountpoint}; what others have set is not changed"
            );
            Err(Plan::blocked(format!("{name} has {what}"), why, way_out))
        };
        if found.kind != "FILESYSTEM" {
            return differs(
                format!("type {}", found.kind),
                format!("name another dataset than {name} in heeler.toml"),
            );
        }
        if found.mountpoint != mountpoint {
            let set = format!("on the node: zfs set mountpoint={mountpoint} {name}; or mend heeler.toml");
            return differs(format!("mountpoint {}", found.mountpoint), set);
        }
        if wanted.mountpoint != Mountpoint::None && found.canmount == "off" {
            return differs(
                "canmount=off".to_owned(),
                format!("on the node: zfs set canmount=on {name}"),
            );
        }
    }
    let make = || Op::Run(zfs::create_command(name, &mountpoint));
    let Mountpoint::At(path) = &wanted.mountpoint else {
        return Ok(seen.found.is_none().then(make).into_iter().collect());
    };
    match &seen.mount {
        Some(mount) if mount.source == name && mount.kind == "zfs" => return Ok(Vec::new()),
        Some(mount) => {
            return Err(Plan::blocked(
                format!("{} ({}) is mounted at {path}", mount.source, mount.kind),
                format!("{name} belongs there, and what is written there would not reach the pool"),
                format!("on the node: umount {path}; then: heeler apply"),
            ));
        }
        None => {}
    }
    let mut ops = Vec::new();
    match &seen.folder {
        Folder::Full { first } => {
            return Err(Plan::blocked(
                format!("the folder {path} holds files ({first}), and {name} is not mounted on it"),
                "they were written beside the pool, and would be hidden by the mount",
                format!("on the node: move what is in {path} elsewhere; then: heeler apply"),
            ));
        }
        Folder::Missing { can_be_immutable } => {
            ops.push(Op::Run(Command::new("mkdir").args(["-p", path])));
            ops.extend(can_be_immutable.then(|| Op::Run(chattr::immutable_command(path))));
        }
        Folder::Empty { immutable: Some(false) } => ops.push(Op::Run(chattr::immutable_command(path))),
        Folder::Empty { .. } | Folder::NotLooked => {}
    }
    ops.push(match seen.found {
        Some(_) => Op::Run(zfs::mount_command(name)),
        None => make(),
    });
    Ok(ops)
}

#[cfg(test)]
mod tests;
