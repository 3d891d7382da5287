//! Compares the snapshots to keep with sanoid's, on thousands of random histories.
//!
//! `answers` holds what Debian's sanoid prunes of them, recorded. Where sanoid is installed (`HEELER_SANOID`, else
//! /usr/sbin/sanoid) it runs again, and must give the same answers.
//!
//! A snapshot of Heeler's that serves several classes is several of sanoid's, and counts as pruned when sanoid prunes
//! all of them. Heeler keeps more in two cases: it keeps the newest of a dataset, whatever the counts; and its year
//! has 366 days, not 365.25.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use heeler_host::zfs::Snapshot;
use heeler_proto::{Class, Keep};
use heeler_tasks::snapshot::Classes;
use heeler_tasks::snapshot::calendar::length_s;
use heeler_tasks::snapshot::keep_set::{PruneDecision, Why, decisions};

const HISTORIES: u64 = 2000;
const MINUTES: u32 = 15;
/// Sunday, 1 March 2026, 12:00, Unix seconds.
const NOW_S: u64 = 1_772_366_400;
const ANSWERS: &str = include_str!("answers");

/// A linear congruential generator: each failure can be repeated with its seed.
struct Choice(u64);

impl Choice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

struct History {
    keep: Keep,
    /// In order of creation.
    snapshots: Vec<Snapshot>,
}

impl History {
    /// Ages near the limits: some periods of each class back, also exactly at the limit.
    fn random(seed: u64) -> Self {
        let mut choice = Choice(seed);
        let counts = Class::ALL.map(|_| u32::try_from(choice.below(5)).unwrap());
        let mut ages: BTreeMap<u64, Classes> = BTreeMap::new();
        for class in Class::ALL {
            let length = length_s(class, MINUTES);
            for _ in 0..choice.below(9) {
                let age = match choice.below(4) {
                    0 => (1 + choice.below(5)) * length - 1 + choice.below(3),
                    _ => 1 + choice.below(7 * length),
                };
                let also = Class::ALL.into_iter().filter(|_| choice.below(16) == 0);
                ages.insert(age, Classes::of(also.chain([class])));
            }
        }
        let snapshot = |(txg, (age, classes)): (u64, (u64, Classes))| Snapshot {
            name: format!("heeler_{txg}").into(),
            guid: txg,
            createtxg: txg,
            created_s: NOW_S - age,
            used_bytes: 0,
            holds: 0,
            clones: Vec::new(),
            mark: Some(classes.mark().into()),
        };
        Self {
            keep: Keep::new(counts, MINUTES).unwrap(),
            snapshots: (1..).zip(ages.into_iter().rev()).map(snapshot).collect(),
        }
    }

    fn classes(one: &Snapshot) -> impl Iterator<Item = Class> + use<> {
        Classes::read(one.mark.as_deref().unwrap()).iter()
    }
}

fn theirs(class: Class) -> &'static str {
    match class {
        Class::Frequent => "frequently",
        other => other.word(),
    }
}

/// The snapshot that sanoid would have taken, such as `h17@autosnap_3_hourly`.
fn autosnap(history: usize, one: &Snapshot, class: Class) -> String {
    format!("h{history}@autosnap_{}_{}", one.guid, theirs(class))
}

fn histories() -> Vec<History> {
    (0..HISTORIES).map(History::random).collect()
}

/// One line for each history: for each class of each snapshot, whether sanoid prunes it (`x`).
fn as_answers(histories: &[History], pruned: &BTreeSet<String>) -> String {
    let line = |(number, history): (usize, &History)| {
        let mut line = String::new();
        for one in &history.snapshots {
            let mark = |class| {
                if pruned.contains(&autosnap(number, one, class)) {
                    'x'
                } else {
                    '.'
                }
            };
            line.extend(History::classes(one).map(mark));
        }
        line + "\n"
    };
    histories.iter().enumerate().map(line).collect()
}

#[test]
fn the_keep_set_agrees_with_sanoid() {
    let histories = histories();
    assert_eq!(ANSWERS.lines().count(), histories.len());
    let (mut both, mut newest, mut years) = (0, 0, 0);
    for (seed, (history, answers)) in histories.iter().zip(ANSWERS.lines()).enumerate() {
        let mut answers = answers.chars();
        let judged = decisions(&history.snapshots, Some(&history.keep), &[], NOW_S);
        for (one, decision) in history.snapshots.iter().zip(judged) {
            let said: Vec<bool> = History::classes(one).map(|_| answers.next().unwrap() == 'x').collect();
            match (said.iter().all(|pruned| *pruned), decision) {
                (true, PruneDecision::Prune(_)) => both += 1,
                (false, PruneDecision::Keep(_)) => {}
                (true, PruneDecision::Keep(Why::Newest | Why::NewestOfOurs)) => newest += 1,
                (
                    true,
                    PruneDecision::Keep(Why::Young {
                        class: Class::Yearly,
                        until_s,
                    }),
                ) => {
                    let by_sanoid_s = until_s - u64::from(history.keep.count(Class::Yearly)) * 64_800;
                    assert!(by_sanoid_s < NOW_S, "seed {seed}: {} is not a year old", one.name);
                    years += 1;
                }
                (pruned, decision) => panic!("seed {seed}: {}: sanoid prunes it: {pruned}; we: {decision}", one.name),
            }
        }
        assert_eq!(answers.next(), None, "seed {seed}");
    }
    assert!(
        both > 10_000 && newest > 50,
        "{both} pruned by both, {newest} newest, {years} years"
    );
}

fn sanoid() -> Option<PathBuf> {
    let path = std::env::var_os("HEELER_SANOID").unwrap_or_else(|| "/usr/sbin/sanoid".into());
    let path = PathBuf::from(path);
    path.exists().then_some(path)
}

#[test]
fn the_recorded_answers_match_sanoid() {
    let Some(sanoid) = sanoid() else {
        println!("sanoid is not installed: what it said is recorded, and was not asked for again");
        return;
    };
    let histories = histories();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sanoid");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut policies, mut list) = (String::new(), String::new());
    for (number, History { keep, snapshots }) in histories.iter().enumerate() {
        let counts = Class::ALL.map(|class| keep.count(class).to_string()).join(" ");
        let _ = writeln!(policies, "h{number} {counts} {MINUTES}");
        for one in snapshots {
            for class in History::classes(one) {
                let _ = writeln!(list, "{}\tcreation\t{}\t-", autosnap(number, one, class), one.created_s);
            }
        }
    }
    std::fs::write(folder.join("policies"), policies).unwrap();
    std::fs::write(folder.join("snapshots.txt"), list).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "sanoid is a program of this machine, not of a node"
    )]
    let done = std::process::Command::new("perl")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sanoid/prunes.pl"))
        .arg(sanoid)
        .arg(NOW_S.to_string())
        .arg(&folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).unwrap();
    let pruned = said.lines().filter_map(|line| line.strip_prefix("INFO: pruning "));
    let pruned: BTreeSet<String> = pruned.map(|line| line.trim_end_matches(" ... ").to_owned()).collect();
    let answers = as_answers(&histories, &pruned);
    std::fs::write(folder.join("answers"), &answers).unwrap();
    let same = answers == ANSWERS;
    assert!(
        same,
        "sanoid says something else: {} is what it says now",
        folder.join("answers").display()
    );
}
