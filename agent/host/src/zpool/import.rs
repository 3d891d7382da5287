use std::time::Duration;

use super::Class;
use crate::ask::ask;
use crate::{Command, Output, RunError, System};

/// A pool on disks of this machine that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Importable {
    /// The pool's name, such as `data`.
    pub name: String,
    /// The pool's guid.
    pub guid: u64,
    /// ONLINE, DEGRADED, UNAVAIL, FAULTED…; UNREADABLE when the listing lacks its id, state or disks.
    pub state: String,
    /// ZFS's message about what is wrong; empty when nothing is.
    pub status: String,
    /// ZFS's message about what can be done.
    pub action: String,
    /// The pool's comment, which names its owner; empty when not set.
    pub comment: String,
    /// Its leaf vdevs, in the order of the listing.
    pub legs: Vec<ImportableLeg>,
}

/// A leaf vdev of an importable pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportableLeg {
    /// As listed: a name below `/dev/disk/by-id` without its partition, or the guid of a missing vdev.
    pub name: String,
    /// ONLINE, UNAVAIL…; empty for a cache device and a spare, for which none is listed.
    pub state: String,
    /// Further words in its line, such as `corrupted data` or `was /dev/…`; mostly empty.
    pub note: String,
    /// Data, log, cache, special, dedup or spare.
    pub class: Class,
    /// The `replacing-…` or `spare-…` vdev that it is part of; empty for most.
    pub place: String,
}

impl Importable {
    /// Whether another machine used it last: to import it, this machine needs that machine's host id.
    pub fn last_used_elsewhere(&self) -> bool {
        self.status.contains("last accessed by another system") || self.status.contains("imported by another system")
    }

    /// Whether it uses features that this version of ZFS does not support.
    pub fn unsupported_feature(&self) -> bool {
        self.status.contains("not supported on this system") || self.status.contains("incompatible version")
    }
}

/// `zpool import -d /dev/disk/by-id`: lists pools, and imports none. It reads every disk, so one that hangs makes it
/// hang.
pub fn importable_command() -> Command {
    import(Command::look("zpool"), &["-d", "/dev/disk/by-id"]).timeout(Duration::from_secs(15))
}

/// Runs alone: while one `zpool import` tries a pool, a second one finds the pool open and silently leaves it out
/// (seen with ZFS 2.3.9; the kernel's `spa_load` refuses the guid).
fn import(zpool: Command, args: &[&str]) -> Command {
    zpool.arg("import").args(args.iter().copied()).alone()
}

/// `zpool import -N -d /dev/disk/by-id -o cachefile=/etc/zfs/zpool.cache GUID`: by guid, never forced, never with a
/// rewind; mounts nothing.
pub fn import_command(guid: u64) -> Command {
    import(
        Command::change("zpool"),
        &["-N", "-d", "/dev/disk/by-id", "-o", "cachefile=/etc/zfs/zpool.cache"],
    )
    .arg(guid.to_string())
    .timeout(Duration::from_secs(300))
}

/// All pools on disks of this machine that are not imported. Fails when ZFS fails, also because its module is not
/// loaded: then pools may exist.
pub async fn importable(host: &dyn System) -> Result<Vec<Importable>, RunError> {
    let command = importable_command();
    let output = ask(host, &command).await?;
    parse(&command, &output)
}

pub(crate) fn parse(command: &Command, output: &Output) -> Result<Vec<Importable>, RunError> {
    let mut pools: Vec<Importable> = Vec::new();
    let mut key = "";
    let mut at = At::default();
    for line in output.stdout.lines() {
        let field = line.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
        match field {
            Some(("pool", name)) if is_key(line, "pool") => {
                (key, at) = ("pool", At::default());
                pools.push(Importable {
                    name: name.to_owned(),
                    ..Importable::default()
                });
                continue;
            }
            Some((found, value)) if is_key(line, found) => {
                key = KEYS.iter().find(|known| **known == found).copied().unwrap_or("");
                // Fields before the first name belong to a pool without one.
                if pools.is_empty() {
                    pools.push(Importable::default());
                }
                if let Some(pool) = pools.last_mut() {
                    take(pool, key, value);
                }
                continue;
            }
            _ => {}
        }
        let Some(pool) = pools.last_mut() else { continue };
        if key == "config" {
            pool.legs.extend(at.leg(line, &pool.name));
        } else if !line.trim().is_empty() {
            take(pool, key, line.trim());
        }
    }
    let lacking = |pool: &Importable| pool.guid == 0 || pool.state.is_empty() || pool.legs.is_empty();
    if pools.iter().all(lacking) && !output.stdout.trim().is_empty() {
        return Err(RunError::unreadable(
            command,
            format!("no pool with id, state and disks in {:?}", output.complaint()),
        ));
    }
    // An incomplete pool does not affect the others, and is not importable.
    for pool in pools.iter_mut().filter(|pool| lacking(pool)) {
        "UNREADABLE".clone_into(&mut pool.state);
    }
    Ok(pools)
}

const KEYS: [&str; 8] = ["pool", "id", "state", "status", "action", "comment", "see", "config"];

/// Keys are right-aligned to eight columns when the pool has a comment, else to seven. Continued sentences and the
/// config start with a tab.
fn is_key(line: &str, key: &str) -> bool {
    !line.starts_with('\t') && KEYS.contains(&key)
}

fn take(pool: &mut Importable, key: &str, text: &str) {
    let into = match key {
        "id" => {
            pool.guid = text.parse().unwrap_or(0);
            return;
        }
        "state" => &mut pool.state,
        "status" => &mut pool.status,
        "action" => &mut pool.action,
        "comment" => &mut pool.comment,
        _ => return,
    };
    if !into.is_empty() && !text.is_empty() {
        into.push(' ');
    }
    into.push_str(text);
}

/// The position within the config of a pool.
#[derive(Default)]
struct At {
    class: Class,
    /// The `replacing-…` or `spare-…` vdev above, and its indentation.
    place: (String, usize),
}

impl At {
    /// A line that names a leaf vdev. Headings, groups and the pool itself are recognised by name and indentation.
    fn leg(&mut self, line: &str, pool: &str) -> Option<ImportableLeg> {
        let mut words = line.split_whitespace();
        let (name, state) = (words.next()?, words.next().unwrap_or_default());
        let depth = line.trim_start_matches('\t').len() - line.trim_start().len();
        if depth == 0 && state.is_empty() {
            self.class = Class::of(name);
        }
        if depth <= self.place.1 {
            self.place = (String::new(), 0);
        }
        let is = |group: &&str| name.starts_with(*group);
        if ["replacing-", "spare-"].iter().any(is) {
            self.place = (name.to_owned(), depth);
        }
        let group = ["mirror-", "raidz", "draid", "replacing-", "spare-", "indirect-"]
            .iter()
            .any(is);
        let silent = state.is_empty() && depth > 0 && matches!(self.class, Class::Cache | Class::Spare);
        let said = !state.is_empty() && state.chars().all(|c| c.is_ascii_uppercase());
        if (name == pool && depth == 0) || group || !(silent || said) {
            return None;
        }
        Some(ImportableLeg {
            name: name.to_owned(),
            state: state.to_owned(),
            note: words.collect::<Vec<_>>().join(" "),
            class: self.class,
            place: self.place.0.clone(),
        })
    }
}
