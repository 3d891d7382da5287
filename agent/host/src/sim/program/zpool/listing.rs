use std::fmt::Write as _;

use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;
use crate::sim::zfs::OnDisk;

/// `zpool import` without a pool: text blocks, or a message on stderr; exit code 0 in both cases.
pub(super) fn run(state: &State) -> Output {
    let pools = state.importable();
    if pools.is_empty() {
        return complained(0, "no pools available to import\n");
    }
    let blocks: Vec<String> = pools.iter().map(|pool| block(state, pool)).collect();
    printed(blocks.join("\n"))
}

/// State, status, action and the end of the `see:` link.
fn words(state: &State, pool: &OnDisk) -> (&'static str, String, &'static str, &'static str) {
    let all = pool.config.legs.len();
    if let Some(feature) = &pool.config.unknown_feature {
        let status = format!("The pool uses the following feature(s) not supported on this system:\n\t{feature}\n");
        let action = "The pool cannot be imported. Access the pool on a system that supports\n\tthe required feature(s), or recreate the pool from backup.";
        return ("UNAVAIL", status, action, "");
    }
    if !pool.whole {
        let action = "The pool cannot be imported due to damaged devices or data.";
        return (
            "FAULTED",
            "The pool metadata is corrupted.\n".to_owned(),
            action,
            "ZFS-8000-72",
        );
    }
    let missing = pool.present.len() < all;
    let health = if missing { "DEGRADED" } else { "ONLINE" };
    let despite = "The pool can be imported despite missing or damaged devices.  The\n\tfault tolerance of the pool may be compromised if imported.";
    if state.was_elsewhere(&pool.config) && pool.config.hostid != 0 {
        let forced = "The pool can be imported using its name or numeric identifier and\n\tthe '-f' flag.";
        let status = "The pool was last accessed by another system.\n".to_owned();
        return (health, status, if missing { despite } else { forced }, "ZFS-8000-EY");
    }
    if missing {
        let status = "One or more devices contains corrupted data.\n".to_owned();
        return (health, status, despite, "ZFS-8000-4J");
    }
    let action = "The pool can be imported using its name or numeric identifier.";
    ("ONLINE", String::new(), action, "")
}

fn block(state: &State, pool: &OnDisk) -> String {
    let (health, status, action, see) = words(state, pool);
    let config = &pool.config;
    // Keys are right-aligned; with a comment the longest one is `comment`.
    let pad = if config.comment.is_empty() { "" } else { " " };
    let mut text = format!(
        "{pad}  pool: {}\n{pad}    id: {}\n{pad} state: {health}\n",
        config.name, config.guid
    );
    if !status.is_empty() {
        let _ = write!(text, "{pad}status: {status}");
    }
    let _ = writeln!(text, "{pad}action: {}", action.replace('\t', &format!("\t{pad}")));
    if !config.comment.is_empty() {
        let _ = writeln!(text, "comment: {}", config.comment);
    }
    if !see.is_empty() {
        let _ = writeln!(text, "{pad}   see: https://openzfs.github.io/openzfs-docs/msg/{see}");
    }
    let _ = writeln!(text, "{pad}config:\n");
    let short = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.strip_suffix("-part1").unwrap_or(name).to_owned()
    };
    let note = match health {
        "FAULTED" => "  corrupted data",
        "UNAVAIL" => "  unsupported feature(s)",
        _ => "",
    };
    let mut lines = vec![(0, config.name.clone(), health, note)];
    let mirrored = config.legs.len() > 1;
    if mirrored {
        let health = if pool.present.len() < config.legs.len() {
            "DEGRADED"
        } else {
            "ONLINE"
        };
        lines.push((2, "mirror-0".to_owned(), health, ""));
    }
    for leg in &config.legs {
        let depth = if mirrored { 4 } else { 2 };
        let present = pool.present.iter().find(|present| present.guid == leg.guid);
        lines.push(match present {
            Some(present) => (depth, short(&present.by_id), "ONLINE", ""),
            None => (depth, short(&leg.path), "UNAVAIL", ""),
        });
    }
    let width = lines
        .iter()
        .map(|(depth, name, ..)| depth + name.len())
        .max()
        .unwrap_or(0);
    for (depth, name, state, note) in lines {
        let column = width - depth;
        let _ = writeln!(text, "\t{:depth$}{name:column$}  {state}{note}", "");
    }
    text
}
