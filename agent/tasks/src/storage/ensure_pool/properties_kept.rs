use std::path::Path;

use heeler_host::zfs::{Dataset, Module};
use heeler_host::zpool::{self, NewPool, PoolProperties};
use heeler_host::{RunError, System, zfs};
use heeler_proto::PoolSpec;

use crate::engine::{Op, Plan, Step, StepName};
use crate::storage::words;

/// The pool and its root dataset have the properties that a creation sets: some decide whether the pool is imported
/// and mounted after the next boot.
pub(super) struct PropertiesKept {
    guid: Option<String>,
    wanted: NewPool,
}

/// The pool's properties, all datasets, and whether the cache file lists the pool. None when it is not imported.
pub(super) type Observed = Option<(PoolProperties, Vec<Dataset>, bool)>;

/// `zfs-import-cache.service` imports at boot what this file lists, and does nothing without it.
const CACHE: &str = "/etc/zfs/zpool.cache";

impl PropertiesKept {
    pub(super) fn of(spec: &PoolSpec) -> Self {
        Self {
            guid: spec.recorded_guid.map(|guid| guid.0.to_string()),
            wanted: NewPool::new(spec.name.as_str(), spec.comment.as_str(), Vec::new()),
        }
    }

    /// Another pool with this name is not changed; an earlier step reports it.
    fn is_ours(&self, pool: &PoolProperties) -> bool {
        let has = |name: &str, value: &str| pool.get(name).is_some_and(|found| found == value);
        match &self.guid {
            Some(guid) => has("guid", guid),
            // Without a comment it is one that an earlier step takes in.
            None => self
                .wanted
                .properties
                .iter()
                .any(|(name, value)| name == "comment" && (has(name, value) || has(name, "-"))),
        }
    }
}

impl Step for PropertiesKept {
    const NAME: StepName = "PropertiesKept";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(None);
        };
        let datasets = zfs::datasets(host).await?;
        if !datasets.iter().any(|one| one.name == self.wanted.name) {
            return Ok(None);
        }
        let pool = zpool::properties(host, &self.wanted.name).await?;
        // Setting `cachefile` writes the file again, so a file that cannot be read is like one that is not there.
        let cache = host.read(Path::new(CACHE)).await.unwrap_or_default();
        let cached = pool.get("guid").is_some_and(|guid| lists(&cache, guid));
        Ok(Some((pool, datasets, cached)))
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let name = &self.wanted.name;
        let Some((pool, datasets, cached)) = seen.as_ref().filter(|(pool, ..)| self.is_ours(pool)) else {
            return Plan::After("PoolExists");
        };
        let is = |property: &str| pool.get(property).map_or("-", String::as_str);
        if is("readonly") == "on" || is("altroot") != "-" {
            return Plan::blocked(
                format!(
                    "pool {name} is imported with readonly={}, altroot={}",
                    is("readonly"),
                    is("altroot")
                ),
                "that cannot be changed while it is imported",
                format!("stop what uses it, then on the node: zpool export {name}; then: heeler apply"),
            );
        }
        let differs =
            |(property, value): &(String, String), found: &str| !found.is_empty() && !alike(property, value, found);
        let mut ops = Vec::new();
        let unlisted = |pair: &(String, String)| pair.0 == "cachefile" && !cached;
        let wrong = |pair: &&(String, String)| differs(pair, is(&pair.0)) || unlisted(pair);
        for pair in self.wanted.properties.iter().filter(wrong) {
            ops.push(Op::Run(zpool::set_command(&pair.0, &pair.1, name)));
        }
        let Some(root) = datasets.iter().find(|one| one.name == *name) else {
            return Plan::After("PoolExists");
        };
        // A person's `zpool create` mounts it at /NAME, and the datasets below it. Its files stay in reach.
        let as_made = root.mounted && !root.mountpoint_local;
        for pair in &self.wanted.root_properties {
            let tuned = root.tuning.iter().find(|(property, _)| *property == pair.0);
            let found = match pair.0.as_str() {
                "mountpoint" => &root.mountpoint,
                "canmount" => &root.canmount,
                _ => tuned.map_or("", |(_, value)| value),
            };
            if !differs(pair, found) || (as_made && tuned.is_none()) {
                continue;
            }
            let moves = pair.0 == "mountpoint";
            if let Some(shown) = datasets
                .iter()
                .find(|one| shows(root, one, moves))
                .filter(|_| tuned.is_none())
            {
                return in_reach(shown, pair);
            }
            ops.push(Op::Run(zfs::set_command(&pair.0, &pair.1, name)));
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}

/// Whether changing the property of `root` unmounts `one`: the root dataset itself, or one that inherits its
/// mountpoint.
fn shows(root: &Dataset, one: &Dataset, moves: bool) -> bool {
    let inherits = one.name.starts_with(&format!("{}/", root.name)) && !one.mountpoint_local;
    one.mounted && (one.name == root.name || (moves && inherits))
}

fn in_reach(shown: &Dataset, (property, value): &(String, String)) -> Plan {
    let (name, path) = (&shown.name, &shown.mountpoint);
    let root = name.split('/').next().unwrap_or(name);
    let next = match name.contains('/') {
        true => format!(
            "zfs set {} {}",
            words::word(&format!("mountpoint={path}")),
            words::word(name)
        ),
        false => format!(
            "move what is in {path}, its datasets aside, to a dataset of heeler.toml; then: zfs set {property}={value} {root}"
        ),
    };
    Plan::blocked(
        format!("{name} is mounted at {path}, and {root} does not have {property}={value}"),
        "setting it back would unmount it, and make its files unreachable",
        format!("on the node: {next}; then: heeler apply"),
    )
}

/// Whether a cache file lists the pool. It holds each pool's configuration as a packed name-value list, in the byte
/// order of the machine or in network order.
fn lists(cache: &[u8], guid: &str) -> bool {
    let Ok(guid) = guid.parse::<u64>() else { return false };
    let has = |bytes: [u8; 8]| cache.windows(8).any(|part| part == bytes);
    has(guid.to_le_bytes()) || has(guid.to_be_bytes())
}

/// Whether ZFS prints `found` for the value `wanted`: it prints newer names, and "-" for the default cache file.
fn alike(property: &str, wanted: &str, found: &str) -> bool {
    wanted == found
        || matches!(
            (property, found),
            ("xattr", "on") | ("acltype", "posix") | ("cachefile", "-")
        )
}

#[cfg(test)]
mod tests;
