//! What a lab is for: each case breaks something on real machines and looks at it from outside.

mod agent;
mod checklist;
mod contact;
mod converged;
mod disks;
mod machine;
mod pools;

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::herd::{Binaries, Herd};
use crate::lab::Lab;

/// One case. It finds three nodes that run, with two disks each, and leaves them so.
struct Case {
    name: &'static str,
    run: Run,
}

/// What a case needs.
enum Run {
    /// Machines alone.
    Machines(fn(&Lab) -> Result<()>),
    /// A coordinator beside them, and nodes that may be enrolled.
    Herd(fn(&mut Herd<'_>) -> Result<()>),
}

const ALL: &[&[Case]] = &[
    checklist::CASES,
    machine::CASES,
    contact::CASES,
    disks::CASES,
    agent::CASES,
    pools::CASES,
    converged::CASES,
];

/// The names of all cases.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().copied().flatten().map(|case| case.name)
}

/// Boots three fresh nodes in `folder` and runs the cases whose name contains one of `filters`; all when there are
/// none. Whether all passed.
///
/// # Errors
/// When the lab does not come up.
pub fn run(folder: &Path, filters: &[String]) -> Result<bool> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let started = Instant::now();
    let lab = Lab::up(folder, 3)?;
    println!("three nodes are up after {} s", started.elapsed().as_secs());
    let binaries = Binaries::build()?;
    let mut herd = Herd::begin(&lab, &binaries)?;
    let wanted = |case: &&Case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter));
    let (mut passed, mut failed) = (0, 0);
    for case in ALL.iter().copied().flatten().filter(wanted) {
        let started = Instant::now();
        let outcome = match case.run {
            Run::Machines(run) => run(&lab),
            Run::Herd(run) => run(&mut herd),
        };
        let seconds = started.elapsed().as_secs();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("{} ... ok ({seconds} s)", case.name);
            }
            Err(error) => {
                failed += 1;
                println!(
                    "{} ... FAILED ({seconds} s)\n    {}",
                    case.name,
                    format!("{error:#}").replace('\n', "\n    ")
                );
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}
