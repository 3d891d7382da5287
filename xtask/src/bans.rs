//! Checks the dependency tree: deny.toml's rules over `cargo metadata`, and the agent's own list.
//!
//! The same file serves cargo-deny, which takes minutes to build; this takes a second.

mod agent;
mod graph;
mod licence;
mod rules;

use anyhow::Result;

use crate::run;

/// Checks licences, sources, banned crates and layers, and what the agent links. Fails when a rule is broken, with one
/// line for each.
pub fn run() -> Result<()> {
    let rules = rules::read(&run::root().join("deny.toml"))?;
    let graph = graph::of_workspace()?;
    for twice in graph.in_several_versions() {
        println!("warning: {twice}");
    }
    let mut broken = rules.broken_by(&graph);
    broken.extend(agent::broken()?);
    run::no_rule_broken(&broken)?;
    println!("{} crates keep to deny.toml", graph.packages.len());
    Ok(())
}
