//! Crates that the agent must not link. Every byte of it is on every node, and it runs as root there.

use anyhow::Result;

use crate::run;

const BANNED: [(&str, &str); 9] = [
    ("axum", "tonic without its `router` feature"),
    ("chrono", "time is a u64 of milliseconds"),
    ("clap_derive", "two commands need no derived parser"),
    ("heeler-proto/json", "only the command line prints messages as JSON"),
    ("regex", "tracing-subscriber without `env-filter`"),
    ("regex-automata", "tracing-subscriber without `env-filter`"),
    ("sqlx", "the agent has a journal, no database"),
    ("toml", "the agent's configuration is written by first contact, as JSON"),
    ("webpki-roots", "the agent trusts one CA: the coordinator's"),
];

/// One line for each banned crate, or feature of a crate, in the agent's tree.
///
/// Uses `cargo tree` and not the workspace's graph: only the features that the agent itself enables count.
pub fn broken() -> Result<Vec<String>> {
    let tree = run::output(run::cargo().args(TREE))?;
    Ok(names(&tree).filter_map(|name| refusal(&name)).collect())
}

const TREE: [&str; 8] = [
    "tree",
    "--locked",
    "--package=heeler-agent",
    "--edges=normal",
    "--target=aarch64-unknown-linux-musl",
    "--prefix=none",
    "--no-dedupe",
    "--format={p} {f}",
];

/// Every crate, and every CRATE/FEATURE. A line is a crate, its version, perhaps its folder, and its features.
fn names(tree: &str) -> impl Iterator<Item = String> {
    let of = |line: &str| {
        let name = line.split_whitespace().next()?.to_owned();
        let features = line.split_whitespace().skip(2).last().unwrap_or_default();
        let features: Vec<_> = features.split(',').map(|feature| format!("{name}/{feature}")).collect();
        Some(features.into_iter().chain([name]))
    };
    let mut names: Vec<_> = tree.lines().filter_map(of).flatten().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

fn refusal(name: &str) -> Option<String> {
    let (_, instead) = BANNED.iter().find(|(banned, _)| *banned == name)?;
    Some(format!("heeler-agent links {name}: {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_anywhere_in_the_tree_is_named_once() {
        let tree = "heeler-agent v0.1.0 (/x)\ntonic v1.0.0\naxum v0.8.0\n\naxum v0.8.0\nregexp v1.0.0\n";
        let broken: Vec<_> = names(tree).filter_map(|name| refusal(&name)).collect();
        assert_eq!(broken, ["heeler-agent links axum: tonic without its `router` feature"]);
    }

    #[test]
    fn a_banned_feature_is_named() {
        let tree = "heeler-proto v0.1.0 (/x) client,json,tonic\nserde v1.0.0 json\nheeler-proto v0.1.0 (/x) client\n";
        let broken: Vec<_> = names(tree).filter_map(|name| refusal(&name)).collect();
        assert_eq!(
            broken,
            ["heeler-agent links heeler-proto/json: only the command line prints messages as JSON"]
        );
    }
}
