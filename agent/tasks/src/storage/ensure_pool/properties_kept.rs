use async_trait::async_trait;
use heeler_host::zfs::{Dataset, Module};
use heeler_host::zpool::{self, NewPool, PoolProperties};
use heeler_host::{Command, RunError, System, zfs};
use heeler_proto::PoolSpec;

use crate::engine::{Op, Plan, Step, StepName};

/// The pool and its root dataset have the properties that a creation sets: some decide whether the pool is imported
/// and mounted after the next boot.
pub(super) struct PropertiesKept {
    guid: Option<String>,
    wanted: NewPool,
}

/// None when the pool is not imported.
pub(super) type Observed = Option<(PoolProperties, Vec<Dataset>)>;

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
            None => self
                .wanted
                .properties
                .iter()
                .any(|(name, value)| name == "comment" && has(name, value)),
        }
    }
}

#[async_trait]
impl Step for PropertiesKept {
    type Observed = Observed;

    fn name(&self) -> StepName {
        "PropertiesKept"
    }

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(None);
        };
        let datasets = zfs::datasets(host).await?;
        if !datasets.iter().any(|one| one.name == self.wanted.name) {
            return Ok(None);
        }
        Ok(Some((zpool::properties(host, &self.wanted.name).await?, datasets)))
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let name = &self.wanted.name;
        let Some((pool, datasets)) = seen.as_ref().filter(|(pool, _)| self.is_ours(pool)) else {
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
        for pair in self.wanted.properties.iter().filter(|pair| differs(pair, is(&pair.0))) {
            let set = Command::new("zpool").arg("set").arg(format!("{}={}", pair.0, pair.1));
            ops.push(Op::Run(set.arg(name)));
        }
        let Some(root) = datasets.iter().find(|one| one.name == *name) else {
            return Plan::After("PoolExists");
        };
        for pair in &self.wanted.root_properties {
            let tuned = root.tuning.iter().find(|(property, _)| *property == pair.0);
            let found = match pair.0.as_str() {
                "mountpoint" => &root.mountpoint,
                "canmount" => &root.canmount,
                _ => tuned.map_or("", |(_, value)| value),
            };
            if !differs(pair, found) {
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
        true => format!("zfs set mountpoint={path} {name}"),
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
