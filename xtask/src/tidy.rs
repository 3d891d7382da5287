//! House rules that neither the compiler nor clippy checks: names and lengths of files, and words that must not be
//! committed.

mod links;
mod named_tests;
mod names;
mod rules;

mod units;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run;

/// From this number of lines on, `--verbose` lists a file.
const LOOK_AGAIN: usize = 300;

/// Checks every file that git tracks or would add. `verbose` also lists long files. Fails when a rule is broken, with
/// one line for each.
pub fn run(verbose: bool) -> Result<()> {
    let listing = run::output(run::program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut broken = Vec::new();
    let mut lengths = Vec::new();
    for path in listing.lines().map(PathBuf::from) {
        let Ok(text) = fs::read_to_string(run::root().join(&path)) else {
            continue;
        };
        if rules::is_written_by_us(&path) {
            lengths.push((text.lines().count(), path.clone()));
        }
        broken.extend(rules::broken_by(&path, &text));
        if rules::is_written_by_us(&path) {
            broken.extend(names::too_long(&path, &text));
        }
        broken.extend(links::broken_in(&run::root(), &path, &text));
        broken.extend(units::broken_in(&path, &text));
        broken.extend(named_tests::broken_in(&run::root(), &path, &text));
    }
    report(&mut lengths, verbose);
    run::no_rule_broken(&broken)
}

fn report(lengths: &mut [(usize, PathBuf)], verbose: bool) {
    lengths.sort();
    let lines = |at: usize| lengths.get(at).map_or(0, |(lines, _)| *lines);
    let count = lengths.len();
    let (median, p90, longest) = (lines(count / 2), lines(count * 9 / 10), lines(count.saturating_sub(1)));
    println!("{count} Rust files, lines: median {median}, p90 {p90}, longest {longest}");
    if verbose {
        for (lines, path) in lengths.iter().rev().take_while(|(lines, _)| *lines > LOOK_AGAIN) {
            println!("look again: {lines} {}", Path::display(path));
        }
    }
}
