use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Scrub, Snap};
use crate::sim::tree::Tree;

/// A pool's state in its labels (`pool_state_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum PoolState {
    Active = 0,
    Exported = 1,
    Destroyed = 2,
}

/// A leg of the mirror, or the single disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Leg {
    pub(in crate::sim) guid: u64,
    /// Path of the partition: `…-part1`.
    pub(in crate::sim) path: String,
}

/// The pool's configuration, which each label stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Config {
    pub(in crate::sim) name: String,
    pub(in crate::sim) guid: u64,
    pub(in crate::sim) txg: u64,
    pub(in crate::sim) state: PoolState,
    pub(in crate::sim) hostid: u32,
    pub(in crate::sim) hostname: String,
    /// Time of the last write, Unix seconds.
    pub(in crate::sim) at_s: u64,
    pub(in crate::sim) comment: String,
    pub(in crate::sim) mirror_guid: u64,
    pub(in crate::sim) legs: Vec<Leg>,
    pub(in crate::sim) asize: u64,
    /// A feature that this ZFS does not support.
    pub(in crate::sim) unknown_feature: Option<String>,
}

/// A file system or volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Dataset {
    pub(in crate::sim) name: String,
    pub(in crate::sim) guid: u64,
    pub(in crate::sim) createtxg: u64,
    pub(in crate::sim) creation_s: u64,
    /// Set on the dataset itself, not inherited.
    pub(in crate::sim) properties: BTreeMap<String, String>,
    pub(in crate::sim) files: Tree,
    /// In order of creation.
    pub(in crate::sim) snaps: Vec<Snap>,
    /// The snapshot that it was cloned from.
    pub(in crate::sim) origin: Option<String>,
}

/// A pool's content besides its labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::sim) struct Contents {
    /// Pool properties that were set.
    pub(in crate::sim) properties: BTreeMap<String, String>,
    /// The root dataset first, parents before children.
    pub(in crate::sim) datasets: Vec<Dataset>,
    pub(in crate::sim) scrub: Option<Scrub>,
}

impl Contents {
    pub(in crate::sim) fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }

    /// A property's value, its source (`NONE`, `DEFAULT`, `LOCAL`, `INHERITED`), and the dataset that it is inherited
    /// from.
    pub(in crate::sim) fn property(&self, dataset: &str, name: &str) -> (String, &'static str, String) {
        let (value, kind, from) = self.set_property(dataset, name);
        // ZFS prints the present names of old values.
        let value = match (name, value.as_str()) {
            ("xattr", "sa") => "on".to_owned(),
            ("acltype", "posixacl") => "posix".to_owned(),
            _ => value,
        };
        (value, kind, from)
    }

    fn set_property(&self, dataset: &str, name: &str) -> (String, &'static str, String) {
        let mut at = Some(dataset);
        while let Some(here) = at {
            let set = self.dataset(here).and_then(|found| found.properties.get(name));
            match set {
                Some(value) if here == dataset => return (value.clone(), "LOCAL", "-".to_owned()),
                Some(_) if name == "canmount" => break,
                Some(value) => {
                    let below = &dataset[here.len()..];
                    let value = match value.as_str() {
                        path if name == "mountpoint" && path.starts_with('/') => format!("{path}{below}"),
                        _ => value.clone(),
                    };
                    return (value, "INHERITED", here.to_owned());
                }
                None => at = here.rsplit_once('/').map(|(parent, _)| parent),
            }
        }
        let default = match name {
            "mountpoint" => format!("/{dataset}"),
            "canmount" | "atime" | "compression" | "exec" => "on".to_owned(),
            "xattr" => "on".to_owned(),
            "sync" => "standard".to_owned(),
            "acltype" | "relatime" | "readonly" => "off".to_owned(),
            "dnodesize" => "legacy".to_owned(),
            "recordsize" => "131072".to_owned(),
            _ => "-".to_owned(),
        };
        (default, "DEFAULT", "-".to_owned())
    }
}
