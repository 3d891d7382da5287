//! Crates that the agent must not link. Every byte of it is on every node, and it runs as root there.

use anyhow::Result;

use crate::run;

const BANNED: [(&str, &str); 8] = [
    ("axum", "tonic without its `router` feature"),
    ("chrono", "time is a u64 of milliseconds"),
    ("clap_derive", "two commands need no derived parser"),
    ("regex", "tracing-subscriber without `env-filter`"),
    ("regex-automata", "tracing-subscriber without `env-filter`"),
    ("sqlx", "the agent has a journal, no database"),
    ("toml", "the agent's configuration is written by first contact, as JSON"),
    ("webpki-roots", "the agent trusts one CA: the coordinator's"),
];

/// One line for each banned crate in the agent's tree.
///
/// Uses `cargo tree` and not the workspace's graph: only the features that the agent itself enables count.
pub fn broken() -> Result<Vec<String>> {
    let tree = run::output(run::cargo().args(TREE))?;
    Ok(names(&tree).filter_map(refusal).collect())
}

const TREE: [&str; 8] = [
    "tree",
    "--locked",
    "--package=heeler-agent",
    "--edges=normal",
    "--target=aarch64-unknown-linux-musl",
    "--prefix=none",
    "--no-dedupe",
    "--format={p}",
];

fn names(tree: &str) -> impl Iterator<Item = &str> {
    let mut names: Vec<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
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
        let broken: Vec<_> = names(tree).filter_map(refusal).collect();
        assert_eq!(broken, ["heeler-agent links axum: tonic without its `router` feature"]);
    }
}
