use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Contents, Dataset};
use crate::sim::tree::Tree;

/// A snapshot of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Snap {
    /// Behind the `@`.
    pub(in crate::sim) name: String,
    pub(in crate::sim) guid: u64,
    pub(in crate::sim) createtxg: u64,
    pub(in crate::sim) creation_s: u64,
    /// Set on it, not inherited.
    pub(in crate::sim) properties: BTreeMap<String, String>,
    /// Tag, and since when, Unix seconds.
    pub(in crate::sim) holds: BTreeMap<String, u64>,
    pub(in crate::sim) files: Tree,
}

/// A scrub, running or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Scrub {
    /// Unix seconds.
    pub(in crate::sim) start_s: u64,
    /// When it will have ended.
    pub(in crate::sim) end_s: u64,
}

impl Scrub {
    /// Time alone says how far it is: it goes on where it was after a power cut. One of a clock that was ahead is over.
    pub(in crate::sim) fn runs(&self, now_s: u64) -> bool {
        (self.start_s..self.end_s).contains(&now_s)
    }
}

impl Contents {
    pub(in crate::sim) fn dataset_mut(&mut self, name: &str) -> Option<&mut Dataset> {
        self.datasets.iter_mut().find(|dataset| dataset.name == name)
    }

    /// `DATASET@NAME`.
    pub(in crate::sim) fn snap(&self, full: &str) -> Option<&Snap> {
        let (dataset, name) = full.split_once('@')?;
        self.dataset(dataset)?.snaps.iter().find(|snap| snap.name == name)
    }

    /// Datasets that live on it.
    pub(in crate::sim) fn clones(&self, full: &str) -> Vec<String> {
        let on_it = |dataset: &&Dataset| dataset.origin.as_deref() == Some(full);
        self.datasets
            .iter()
            .filter(on_it)
            .map(|clone| clone.name.clone())
            .collect()
    }

    /// A user property of a snapshot: its value and source, as `zfs get` words it.
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

    /// Removes these from a dataset.
    pub(in crate::sim) fn drop_snaps(&mut self, dataset: &str, names: &BTreeSet<&str>) {
        if let Some(dataset) = self.dataset_mut(dataset) {
            dataset.snaps.retain(|snap| !names.contains(snap.name.as_str()));
        }
    }
}
