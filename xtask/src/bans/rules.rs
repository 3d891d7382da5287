//! deny.toml, the part of cargo-deny's format that we use.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::graph::{Graph, Package};
use super::licence;

/// The rules that deny.toml states.
#[derive(Deserialize)]
pub struct Rules {
    licenses: Licences,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Crates that may depend on the banned crate.
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

/// Reads deny.toml.
pub fn read(path: &Path) -> Result<Rules> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

impl Rules {
    /// One line for each rule that the graph breaks.
    pub fn broken_by(&self, graph: &Graph) -> Vec<String> {
        let mut broken = Vec::new();
        for package in graph.packages.values() {
            broken.extend(self.licence_of(package));
            broken.extend(self.source_of(package));
            for ban in self.bans.deny.iter().filter(|ban| ban.name == package.name) {
                broken.extend(ban.broken_by(graph, package));
            }
        }
        broken
    }

    fn licence_of(
        &self,
        Package {
            name, version, license, ..
        }: &Package,
    ) -> Option<String> {
        match license {
            Some(expression) if licence::allowed(expression, &self.licenses.allow) => None,
            Some(expression) => Some(format!("{name} {version}: licence {expression} is not on the list")),
            None => Some(format!("{name} {version}: names no licence")),
        }
    }

    fn source_of(
        &self,
        Package {
            name, version, source, ..
        }: &Package,
    ) -> Option<String> {
        let source = source.as_deref()?;
        let registry = source.strip_prefix("registry+");
        let known = registry.is_some_and(|url| self.sources.allow_registry.iter().any(|allowed| allowed == url));
        (!known).then(|| format!("{name} {version}: comes from {source}"))
    }
}

impl Ban {
    fn broken_by(&self, graph: &Graph, package: &Package) -> Vec<String> {
        let Ban { name, wrappers, reason } = self;
        if wrappers.is_empty() {
            return vec![format!("{name} is banned: {reason}")];
        }
        let dependants = graph.dependants.get(&package.id).into_iter().flatten();
        dependants
            .filter(|dependant| !wrappers.contains(dependant))
            .map(|dependant| format!("{dependant} depends on {name}: {reason}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;

    use super::*;

    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT"]
            [sources]
            allow-registry = ["https://github.com/rust-lang/crates.io-index"]
            [bans]
            deny = [
              { crate = "openssl", reason = "rustls" },
              { crate = "sqlx", wrappers = ["store"], reason = "SQL lives in store" },
            ]"#,
        )
        .unwrap()
    }

    fn graph(packages: &[(&str, &str, Option<&str>, Option<&str>)], edges: &[(&str, &str)]) -> Graph {
        let packages = packages.iter().map(|(name, version, license, source)| {
            let package = Package {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                license: license.map(str::to_owned),
                source: source.map(str::to_owned),
            };
            (package.id.clone(), package)
        });
        let mut dependants = BTreeMap::<String, BTreeSet<String>>::new();
        for (from, to) in edges {
            dependants
                .entry((*to).to_owned())
                .or_default()
                .insert((*from).to_owned());
        }
        Graph {
            packages: packages.collect(),
            dependants,
        }
    }

    #[test]
    fn licence_source_ban_and_layer_are_each_refused_by_name() {
        let graph = graph(
            &[
                ("store", "0.1.0", Some("MIT"), None),
                ("web", "0.1.0", Some("MIT"), None),
                ("sqlx", "1.0.0", Some("MIT OR GPL-3.0"), Some(CRATES_IO)),
                ("openssl", "1.0.0", Some("MIT"), Some(CRATES_IO)),
                ("copyleft", "1.0.0", Some("GPL-3.0"), Some(CRATES_IO)),
                ("silent", "1.0.0", None, Some(CRATES_IO)),
                ("forked", "1.0.0", Some("MIT"), Some("git+https://example.org/forked")),
            ],
            &[("store", "sqlx"), ("web", "sqlx")],
        );
        assert_eq!(
            rules().broken_by(&graph),
            [
                "copyleft 1.0.0: licence GPL-3.0 is not on the list",
                "forked 1.0.0: comes from git+https://example.org/forked",
                "openssl is banned: rustls",
                "silent 1.0.0: names no licence",
                "web depends on sqlx: SQL lives in store",
            ]
        );
    }
}
