//! The lab's cases. Each breaks something on real machines and checks it from outside.

mod agent;
mod backplane;
mod blank;
mod checklist;
mod contact;
mod converged;
mod create;
mod data;
mod death;
mod disks;
mod hands;
mod machine;
mod names;
mod packages;
mod pools;
mod recovery;
mod refusal;
mod repair;
mod snapshots;
mod told;

use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::fleet::{Binaries, Fleet};
use crate::lab::Lab;
use crate::machine::NAMES;

const L: &str = NAMES[0];
const R: &str = NAMES[1];
const X: &str = NAMES[2];
/// All three nodes with one coordinator; runs after the cases of single nodes.
const FLEET: &str = "fleet";

/// A case. Its node runs with two disks before it, and must do so after it.
struct Case {
    on: &'static str,
    name: &'static str,
    cost: Cost,
    run: Run,
}

/// What a case takes on a quiet machine with 2 cores and no KVM, in seconds.
#[derive(Clone, Copy)]
enum Cost {
    /// Passes on a busy machine too, only later.
    Seconds(u16),
    /// Measures how fast something is told, so a busy machine fails it.
    Quiet(u16),
}

/// A case that costs more runs only with `--all`, or when it is named.
const USUAL_S: u16 = 250;

impl Cost {
    const fn is_usual(self) -> bool {
        matches!(self, Self::Seconds(seconds) if seconds <= USUAL_S)
    }

    const fn seconds(self) -> u16 {
        match self {
            Self::Seconds(seconds) | Self::Quiet(seconds) => seconds,
        }
    }
}

/// What a case needs.
enum Run {
    /// Only machines.
    Machines(fn(&Lab) -> Result<()>),
    /// A coordinator with the node, which may be enrolled.
    Fleet(fn(&mut Fleet<'_>) -> Result<()>),
}

const ALL: &[&[Case]] = &[
    checklist::CASES,
    machine::CASES,
    contact::CASES,
    disks::CASES,
    blank::CASES,
    create::CASES,
    agent::CASES,
    death::CASES,
    pools::CASES,
    data::CASES,
    told::CASES,
    hands::CASES,
    converged::CASES,
    recovery::CASES,
    snapshots::CASES,
    names::CASES,
    repair::CASES,
    packages::CASES,
    backplane::CASES,
];

fn all() -> impl Iterator<Item = &'static Case> {
    ALL.iter().copied().flatten()
}

/// Which cases run.
#[derive(Debug)]
pub struct Choice {
    /// Those whose name contains one of these; when empty, the usual ones, which CI runs.
    pub named: Vec<String>,
    /// Not those whose name contains one of these.
    pub skip: Vec<String>,
    /// All of them, not only the usual ones.
    pub all: bool,
}

impl Choice {
    fn takes(&self, case: &Case) -> bool {
        let any = |words: &[String]| words.iter().any(|word| case.name.contains(word));
        let wanted = match self.named.as_slice() {
            [] => self.all || case.cost.is_usual(),
            named => any(named),
        };
        wanted && !any(&self.skip)
    }

    /// The chosen cases with their cost in seconds, in order.
    pub fn cases(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let chosen = all().filter(|case| self.takes(case));
        chosen.map(|case| (case.name, case.cost.seconds()))
    }
}

/// Most failed cases that are run once more.
const AGAIN: usize = 4;

/// Runs the chosen cases on fresh nodes in `folder`. A few failed cases run once more, on fresh nodes and with nothing
/// beside them: the machine below may have stood still. Returns whether all passed in the end; what passed only on the
/// second try is printed. Fails when the lab does not start.
pub fn run(folder: &Path, choice: &Choice) -> Result<bool> {
    let binaries = Binaries::build()?;
    let started = Instant::now();
    let first = round(folder, &binaries, &|case| choice.takes(case))?;
    let again = (1..=AGAIN).contains(&first.failed.len());
    let second = if again {
        println!("failed, and once more on fresh machines: {}", first.failed.join("; "));
        round(folder, &binaries, &|case| first.failed.contains(&case.name))?
    } else {
        Score::default()
    };
    let failed = if again { second.failed.len() } else { first.failed.len() };
    let late = second.passed.join("; ");
    if !late.is_empty() {
        println!("passed only on the second try: {late}");
    }
    let passed = first.passed.len() + second.passed.len();
    println!("{passed} passed, {failed} failed in {} s", started.elapsed().as_secs());
    Ok(failed == 0 && passed > 0)
}

/// Boots the nodes that are needed and runs the wanted cases. The cases of one node run in order. Nodes run in
/// parallel, each with its own coordinator.
fn round(folder: &Path, binaries: &Binaries, wanted: &(dyn Fn(&Case) -> bool + Sync)) -> Result<Score> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let started = Instant::now();
    let needed = |node: &str| {
        all()
            .filter(|case| wanted(case))
            .any(|case| case.on == node || case.on == FLEET)
    };
    let lab = Lab::create(folder, NAMES.len(), true)?;
    lab.boot(needed)?;
    println!("up after {} s", started.elapsed().as_secs());
    let lane = |on: &'static str| -> Result<Score> {
        let cases: Vec<&Case> = all().filter(|case| case.on == on && wanted(case)).collect();
        match cases.as_slice() {
            [] => Ok(Score::default()),
            cases => Ok(in_order(&mut Fleet::begin(&lab, binaries, on)?, cases)),
        }
    };
    let mut scores: Vec<Score> = thread::scope(|scope| {
        let lanes = NAMES.map(|on| scope.spawn(move || lane(on)));
        let ended = lanes.map(|lane| lane.join().map_err(|_| anyhow!("a case panicked"))?);
        ended.into_iter().collect::<Result<_>>()
    })?;
    scores.push(lane(FLEET)?);
    Ok(Score {
        passed: scores.iter().flat_map(|score| &score.passed).copied().collect(),
        failed: scores.iter().flat_map(|score| &score.failed).copied().collect(),
    })
}

/// Names of the cases.
#[derive(Debug, Default)]
struct Score {
    passed: Vec<&'static str>,
    failed: Vec<&'static str>,
}

fn in_order(fleet: &mut Fleet<'_>, cases: &[&Case]) -> Score {
    let mut score = Score::default();
    for case in cases {
        let started = Instant::now();
        let outcome = match case.run {
            Run::Machines(run) => run(fleet.lab()),
            Run::Fleet(run) => run(fleet),
        };
        let seconds = started.elapsed().as_secs();
        match outcome {
            Ok(()) => {
                score.passed.push(case.name);
                println!("{} ... ok ({seconds} s)", case.name);
            }
            Err(error) => {
                score.failed.push(case.name);
                let why = format!("{error:#}").replace('\n', "\n    ");
                println!("{} ... FAILED ({seconds} s)\n    {why}", case.name);
            }
        }
    }
    score
}
