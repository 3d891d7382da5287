use std::io;
use std::path::Path;
use std::time::Duration;

use heeler_host::findmnt::Mount;
use heeler_host::zfs::{Dataset as Found, Module};
use heeler_host::{Command, RunError, System, chattr, findmnt, zfs};
use heeler_proto::{Dataset, Mountpoint, is_below};

use crate::engine::{Key, Op, Plan, Step, StepName};

const SETTLE: Duration = Duration::from_secs(10);

/// The datasets exist and are mounted at their mountpoints, and the folders below the mounts are immutable.
pub(super) struct DatasetsExist {
    pub(super) datasets: Vec<Dataset>,
}

pub(super) enum Observed {
    NotLoaded,
    /// `pool` says whether the pool is imported; `datasets` is in the order of the wanted ones.
    Looked {
        pool: bool,
        datasets: Vec<Seen>,
    },
}

#[derive(Default)]
pub(super) struct Seen {
    found: Option<Found>,
    /// The mount at its mountpoint; None when there is none.
    mount: Option<Mount>,
    /// The folder at its mountpoint, when nothing is mounted there.
    folder: Folder,
    /// When it does not exist: another dataset that was created with its name, or that has its mountpoint. It was
    /// renamed.
    renamed: Option<String>,
}

#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub(super) enum Folder {
    /// Something is mounted on it, it is not wanted, or ZFS makes it in another dataset.
    #[default]
    NotLooked,
    Missing {
        /// Whether the file system supports the immutable attribute.
        can_be_immutable: bool,
    },
    Empty {
        /// None when the file system does not support the attribute.
        immutable: Option<bool>,
    },
    Full {
        first: String,
    },
    /// The path leads through a link, to this one.
    Linked {
        to: String,
    },
    /// This mount is below it, and a mount on it would hide that.
    Above {
        mount: String,
    },
}

impl Step for DatasetsExist {
    const NAME: StepName = "DatasetsExist";
    type Observed = Observed;

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
            if seen.found.is_none() {
                let one = found.iter().find(|one| was(wanted, one) && !self.wants(&one.name));
                seen.renamed = one.map(|one| one.name.clone());
            }
            if let Mountpoint::At(path) = &wanted.mountpoint {
                seen.mount = mounts.iter().rfind(|mount| mount.target == *path).cloned();
                if seen.mount.is_none() {
                    seen.folder = folder(host, path, &mounts).await?;
                }
                if self.inside_another(path) && matches!(seen.folder, Folder::Missing { .. } | Folder::Empty { .. }) {
                    seen.folder = Folder::NotLooked;
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
                Err(stopped) => return stopped.at(Key::Datasets, &wanted.name),
            }
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::Change { ops, settle: SETTLE },
        }
    }
}

impl DatasetsExist {
    fn wants(&self, name: &str) -> bool {
        self.datasets.iter().any(|wanted| wanted.name == name)
    }

    /// ZFS creates the folder itself, in the outer dataset.
    fn inside_another(&self, path: &str) -> bool {
        self.datasets.iter().any(|other| match &other.mountpoint {
            Mountpoint::At(outer) => is_below(path, outer),
            Mountpoint::None => false,
        })
    }
}

/// Where the path leads, when a link is part of it. What does not exist yet is no link.
async fn linked(host: &dyn System, path: &str) -> Option<String> {
    for part in Path::new(path).ancestors() {
        if let Ok(found) = host.resolve(part).await {
            let rest = Path::new(path).strip_prefix(part).ok()?;
            let to = match rest.as_os_str().is_empty() {
                true => found,
                false => found.join(rest),
            };
            return (to != Path::new(path)).then(|| to.display().to_string());
        }
    }
    None
}

async fn folder(host: &dyn System, path: &str, mounts: &[Mount]) -> Result<Folder, RunError> {
    if let Some(to) = linked(host, path).await {
        return Ok(Folder::Linked { to });
    }
    if let Some(below) = mounts.iter().find(|mount| is_below(&mount.target, path)) {
        let mount = below.target.clone();
        return Ok(Folder::Above { mount });
    }
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

/// Whether `one` is the wanted dataset under another name. (Datasets below it are listed after it.)
fn was(wanted: &Dataset, one: &Found) -> bool {
    let pool = |name: &str| name.split('/').next().map(str::to_owned);
    let in_place = one.kind == "FILESYSTEM" && one.canmount != "off" && one.mountpoint.starts_with('/');
    pool(&one.name) == pool(&wanted.name)
        && (one.made_as == wanted.name || (in_place && one.mountpoint == wanted.mountpoint.to_string()))
}

/// The ops for one dataset. That a dataset of this name exists proves nothing, so it is checked in full.
fn one(wanted: &Dataset, seen: &Seen) -> Result<Vec<Op>, Plan> {
    let (name, mountpoint) = (wanted.name.as_str(), wanted.mountpoint.to_string());
    if let Some(renamed) = &seen.renamed {
        return Err(Plan::blocked(
            format!("there is no dataset {name}, and {renamed} has its files"),
            format!("it was renamed; a new, empty {name} would hide them"),
            format!("on the node: zfs rename {renamed} {name}; then: heeler apply"),
        ));
    }
    let set = |property: &str, value: &str| Op::Run(zfs::set_command(property, value, name));
    let mut ops = Vec::new();
    // Set when its mountpoint has to change.
    let mut from = None;
    if let Some(found) = &seen.found {
        if found.kind == zfs::UNREADABLE {
            return Err(Plan::blocked(
                format!("what ZFS says of {name} cannot be read"),
                "Heeler changes nothing that it cannot read completely",
                format!("on the node: zfs get all {name}"),
            ));
        }
        if found.kind != "FILESYSTEM" {
            return Err(Plan::blocked(
                format!("{name} has type {}", found.kind),
                "heeler.toml describes a file system",
                "",
            )
            .edit(Key::Datasets, name, format!("name a different dataset, not {name}")));
        }
        if found.mountpoint != mountpoint {
            from = Some(found);
        }
        // It was created before the mark existed, or by hand: with the mark a rename is noticed.
        if found.made_as != *name {
            ops.push(set(zfs::MADE_AS, name));
        }
        if let Some(stopped) = from.and_then(|found| kept(wanted, found)) {
            return Err(stopped);
        }
        if wanted.mountpoint != Mountpoint::None && found.canmount != "on" {
            ops.push(set("canmount", "on"));
        }
    }
    let moved = || set("mountpoint", &mountpoint);
    let make = || Op::Run(zfs::create_command(name, &mountpoint));
    let Mountpoint::At(path) = &wanted.mountpoint else {
        ops.extend(from.map(|_| moved()));
        ops.extend(seen.found.is_none().then(make));
        return Ok(ops);
    };
    match &seen.mount {
        Some(mount) if mount.source == name && mount.kind == "zfs" => {
            ops.extend(from.map(|_| moved()));
            return Ok(ops);
        }
        Some(mount) => return Err(taken(name, path, mount)),
        None => {}
    }
    match &seen.folder {
        Folder::Full { first } => {
            return Err(Plan::blocked(
                format!("the folder {path} holds files ({first}), and {name} is not mounted on it"),
                "the mount would hide them",
                format!("on the node: move what is in {path} elsewhere; then: heeler apply"),
            ));
        }
        Folder::Linked { to } => {
            return Err(Plan::blocked(
                format!("{path} is a link, or is below one: it leads to {to}"),
                "what is mounted and what is written there cannot be checked through a link",
                "",
            )
            .edit(Key::Datasets, name, format!("mountpoint = {to:?}")));
        }
        Folder::Above { mount } => {
            return Err(Plan::blocked(
                format!("{mount} is mounted below {path}"),
                format!("{name} on {path} would hide it"),
                "",
            )
            .edit(Key::Datasets, name, format!("give {name} another mountpoint")));
        }
        Folder::Missing { can_be_immutable } => {
            ops.push(Op::Run(Command::change("mkdir").args(["-p", path])));
            ops.extend(can_be_immutable.then(|| Op::Run(chattr::immutable_command(path))));
        }
        Folder::Empty { immutable: Some(false) } => ops.push(Op::Run(chattr::immutable_command(path))),
        Folder::Empty { .. } | Folder::NotLooked => {}
    }
    match (&seen.found, from) {
        (None, _) => ops.push(make()),
        // ZFS mounts it at the new mountpoint itself.
        (_, Some(found)) if found.mounted || found.mountpoint == "none" => ops.push(moved()),
        (_, Some(_)) => ops.extend([moved(), Op::Run(zfs::mount_command(name))]),
        _ => ops.push(Op::Run(zfs::mount_command(name))),
    }
    Ok(ops)
}

/// Blocked, when changing the mountpoint could break somebody's use of the files.
fn kept(wanted: &Dataset, found: &Found) -> Option<Plan> {
    let (name, now) = (&found.name, &found.mountpoint);
    let has = format!("{name} has mountpoint {now}");
    match wanted.mountpoint {
        Mountpoint::None if found.mounted => {
            let why = "heeler.toml says that it is not mounted, and its files would be unreachable";
            Some(Plan::blocked(has, why, "").edit(Key::Datasets, name, format!("mountpoint = {now:?}")))
        }
        Mountpoint::At(_) if now == "legacy" => {
            let why = "a line in /etc/fstab may mount it, and the boot would stop at that line";
            let next = format!(
                "on the node: take its line out of /etc/fstab; then: {}; then: heeler apply",
                zfs::set_command("mountpoint", &wanted.mountpoint.to_string(), name)
            );
            Some(Plan::blocked(has, why, next))
        }
        _ => None,
    }
}

/// Blocked: something else is mounted at the mountpoint. The advice keeps the files of the other file system
/// accessible.
fn taken(name: &str, path: &str, mount: &Mount) -> Plan {
    let other = &mount.source;
    let next = match mount.kind.as_str() {
        "zfs" => zfs::set_command("mountpoint", &format!("/mnt/{other}"), other).to_string(),
        _ => {
            let to = format!("/mnt/{name}");
            let steps = [
                Command::change("mkdir").args(["-p", &to]),
                Command::change("mount").args(["--bind", path, &to]),
                Command::change("umount").arg(path),
            ];
            format!(
                "{}; take its line out of /etc/fstab",
                steps.map(|step| step.to_string()).join(" && ")
            )
        }
    };
    Plan::blocked(
        format!("{other} ({}) is mounted at {path}", mount.kind),
        format!("{name} belongs there, and files that are written there do not go into it"),
        format!("on the node: {next}; then: heeler apply"),
    )
}

#[cfg(test)]
mod tests;
