//! The dependency graph of the whole workspace, as cargo resolves it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run;

/// Every crate of every target, dev-dependencies included.
pub struct Graph {
    /// Key: the package id of `cargo metadata`.
    pub packages: BTreeMap<String, Package>,
    /// Package id → names of the crates that depend on it directly.
    pub dependants: BTreeMap<String, BTreeSet<String>>,
}

/// One version of one crate.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    /// An SPDX expression; None for a crate that only names a licence file.
    pub license: Option<String>,
    /// Registry or git address; None for a crate of the workspace.
    pub source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

/// Reads `cargo metadata --locked`. Fails when cargo fails or prints something else.
pub fn of_workspace() -> Result<Graph> {
    let text = run::output(run::cargo().args(["metadata", "--format-version", "1", "--locked", "--all-features"]))?;
    parse(&text).context("could not read what cargo metadata printed")
}

fn parse(text: &str) -> serde_json::Result<Graph> {
    let metadata: Metadata = serde_json::from_str(text)?;
    let packages: BTreeMap<_, _> = metadata.packages.into_iter().map(|p| (p.id.clone(), p)).collect();
    let mut dependants = BTreeMap::<String, BTreeSet<String>>::new();
    for node in metadata.resolve.nodes {
        let name = packages.get(&node.id).map_or(node.id.as_str(), |p| p.name.as_str());
        for dependency in node.dependencies {
            dependants.entry(dependency).or_default().insert(name.to_owned());
        }
    }
    Ok(Graph { packages, dependants })
}

impl Graph {
    /// One line for each crate that the tree holds in several versions.
    pub fn in_several_versions(&self) -> Vec<String> {
        let mut versions = BTreeMap::<&str, Vec<&str>>::new();
        for package in self.packages.values() {
            versions.entry(&package.name).or_default().push(&package.version);
        }
        versions.retain(|_, of| of.len() > 1);
        versions
            .iter()
            .map(|(name, of)| format!("{name} in versions {}", of.join(", ")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependants_are_named_and_several_versions_are_listed() {
        let graph = parse(
            r#"{"packages":[
                {"id":"a","name":"a","version":"1.0.0","license":"MIT","source":null},
                {"id":"b1","name":"b","version":"1.0.0","license":null,"source":"registry+x"},
                {"id":"b2","name":"b","version":"2.0.0","license":"MIT","source":"registry+x"}],
              "resolve":{"nodes":[{"id":"a","dependencies":["b1","b2"]},{"id":"b1","dependencies":[]}]}}"#,
        )
        .unwrap();
        assert_eq!(graph.dependants["b1"].iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(graph.in_several_versions(), ["b in versions 1.0.0, 2.0.0"]);
    }
}
