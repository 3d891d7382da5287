use serde_json::{Value, json};

use super::{complained, printed};
use crate::Output;
use crate::sim::state::{Mount, State};

/// `findmnt -J -v -o SOURCE,TARGET,FSTYPE`: all mounts, or with `-T PATH` the one that contains the path.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let mounts = state.mounts();
    if let ["-J", "-b", "-o", "SIZE,AVAIL", "/"] = args {
        let root = json!({"size": 31_000_000_000_u64, "avail": 25_000_000_000_u64});
        return Some(printed(format!("{}\n", json!({"filesystems": [root]}))));
    }
    let (columns, shown) = match args {
        ["-J", "-v", "-o", columns] => (columns, tree(&mounts, columns)),
        ["-J", "-v", "-o", columns, "-T", path] | ["-J", "-o", columns, "-T", path] => {
            let around = mounts
                .iter()
                .filter(|mount| std::path::Path::new(path).starts_with(&mount.target));
            let inner = around.max_by_key(|mount| mount.target.len());
            (columns, inner.into_iter().map(|mount| row(mount, columns)).collect())
        }
        _ => return None,
    };
    if columns
        .split(',')
        .any(|name| !["SOURCE", "TARGET", "FSTYPE"].contains(&name))
    {
        return None;
    }
    Some(match shown.as_slice() {
        [] => complained(1, ""),
        shown => printed(format!("{}\n", json!({"filesystems": shown}))),
    })
}

fn row(mount: &Mount, columns: &str) -> Value {
    let field = |name: &str| match name {
        "SOURCE" => mount.source.clone(),
        "TARGET" => mount.target.clone(),
        _ => mount.kind.to_owned(),
    };
    columns
        .split(',')
        .map(|name| (name.to_lowercase(), json!(field(name))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// All mounts, each a child of the innermost mount that contains it.
fn tree(mounts: &[Mount], columns: &str) -> Vec<Value> {
    let parent = |at: usize| {
        let around = |(_, mount): &(usize, &Mount)| std::path::Path::new(&mounts[at].target).starts_with(&mount.target);
        let before = mounts.iter().enumerate().take(at).filter(around);
        before
            .max_by_key(|(_, mount)| mount.target.len())
            .map(|(index, _)| index)
    };
    fn build(at: usize, mounts: &[Mount], columns: &str, parent: &dyn Fn(usize) -> Option<usize>) -> Value {
        let below: Vec<Value> = (at + 1..mounts.len())
            .filter(|child| parent(*child) == Some(at))
            .map(|child| build(child, mounts, columns, parent))
            .collect();
        let mut shown = row(&mounts[at], columns);
        if let (false, Some(object)) = (below.is_empty(), shown.as_object_mut()) {
            object.insert("children".to_owned(), Value::Array(below));
        }
        shown
    }
    vec![build(0, mounts, columns, &parent)]
}
