use super::{complained, pool_of, printed};
use crate::Output;
use crate::sim::state::State;
use crate::sim::tree::Tree;

/// `zfs diff -FHt FROM TO`: files that were created, removed or modified.
pub(super) fn run(state: &State, from: &str, to: &str) -> Option<Output> {
    let dataset = from.split('@').next()?;
    let refused = |why: &str| Some(complained(1, format!("Unable to obtain diffs: {why}\n")));
    let Some(pool) = pool_of(state, dataset).map(|at| &state.kernel.pools[at]) else {
        return refused("No such file or directory");
    };
    let Some(mount) = state.kernel.mounted.iter().find(|mount| mount.source == dataset) else {
        let text = "Cannot diff an unmounted snapshot: operation not applicable to datasets of this type\n";
        return Some(complained(1, text));
    };
    let Some(before) = pool.contents.snap(from) else {
        return refused("No such file or directory");
    };
    let after: &Tree = match pool.contents.snap(to) {
        Some(snap) if snap.createtxg < before.createtxg => {
            return refused("\n   Not an earlier snapshot from the same fs");
        }
        Some(snap) => &snap.files,
        None if to == dataset => &pool.contents.dataset(dataset)?.files,
        None => return refused("No such file or directory"),
    };
    let now_s = state.clock.now_ms() / 1000;
    let line = |sign: &str, path: &std::path::Path| {
        let inner = path.strip_prefix("/").unwrap_or(path).display();
        format!("{now_s}.000000000\t{sign}\tF\t{}/{inner}\n", mount.target)
    };
    let mut lines = String::new();
    for (path, bytes) in before.files.all() {
        match after.read(path) {
            Ok(now) if now == bytes => {}
            Ok(_) => lines.push_str(&line("M", path)),
            Err(_) => lines.push_str(&line("-", path)),
        }
    }
    for (path, _) in after.all().filter(|(path, _)| before.files.read(path).is_err()) {
        lines.push_str(&line("+", path));
    }
    Some(printed(lines))
}
