use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Contents, Dataset};
use crate::sim::tree::Tree;

/// A snapshot of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Snap {
    /// The part after the `@`.
    pub(in crate::sim) name: String,
    pub(in crate::sim) guid: u64,
    pub(in crate::sim) createtxg: u64,
    pub(in crate::sim) creation_s: u64,
    /// Set on the snapshot itself, not inherited.
    pub(in crate::sim) properties: BTreeMap<String, String>,
    /// Time of each hold in Unix seconds, by tag.
    pub(in crate::sim) holds: BTreeMap<String, u64>,
    pub(in crate::sim) files: Tree,
}

/// A scrub or resilver, running or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Scrub {
    /// Start, Unix seconds.
    pub(in crate::sim) start_s: u64,
    /// End, Unix seconds; in the future while it runs.
    pub(in crate::sim) end_s: u64,
}

impl Scrub {
    /// Whether it runs. Only time counts, so it continues after a power cut. One with a start in the future has
    /// ended.
    pub(in crate::sim) fn runs(&self, now_s: u64) -> bool {
        (self.start_s..self.end_s).contains(&now_s)
    }
}

impl Contents {
    pub(in crate::sim) fn dataset_mut(&mut self, name: &str) -> Option<&mut Dataset> {
        self.datasets.iter_mut().find(|dataset| dataset.name == name)
    }

    /// The snapshot with this full name, `DATASET@NAME`.
    pub(in crate::sim) fn snap(&self, full: &str) -> Option<&Snap> {
        let (dataset, name) = full.split_once('@')?;
        self.dataset(dataset)?.snaps.iter().find(|snap| snap.name == name)
    }

    /// The datasets that were cloned from a snapshot.
    pub(in crate::sim) fn clones(&self, full: &str) -> Vec<String> {
        let on_it = |dataset: &&Dataset| dataset.origin.as_deref() == Some(full);
        self.datasets
            .iter()
            .filter(on_it)
            .map(|clone| clone.name.clone())
            .collect()
    }

    /// A snapshot's user property: value and source, as `zfs get` prints them.
    pub(in crate::sim) fn mark(&self, full: &str, name: &str) -> Option<(String, String)> {
        let snap = self.snap(full)?;
        if let Some(value) = snap.properties.get(name) {
            return Some((value.clone(), "local".to_owned()));
        }
        let dataset = full.split('@').next()?;
        Some(match self.property(dataset, name) {
            (value, "LOCAL", _) => (value, format!("inherited from {dataset}")),
            (value, "INHERITED", from) => (value, format!("inherited from {from}")),
            _ => ("-".to_owned(), "-".to_owned()),
        })
    }

    /// Removes these snapshots of a dataset.
    pub(in crate::sim) fn drop_snaps(&mut self, dataset: &str, names: &BTreeSet<&str>) {
        if let Some(dataset) = self.dataset_mut(dataset) {
            dataset.snaps.retain(|snap| !names.contains(snap.name.as_str()));
        }
    }
}
