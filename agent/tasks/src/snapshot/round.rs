//! One round of the schedule: takes due snapshots and prunes old ones. After an interruption the next round
//! continues.

use std::collections::BTreeMap;
use std::time::Duration;

use heeler_host::zfs::{self, Batch, Snapshot};
use heeler_host::{RunError, System, zpool};
use heeler_proto::Keep;
use serde::{Deserialize, Serialize};

use super::schedule::Snapshots;
use super::{Classes, calendar, due, keep_set};
use crate::engine::in_full;

/// The most snapshots that are pruned in one round, so that a wrong decision is noticed early.
pub const BUDGET: usize = 200;
/// The most snapshots in one `zfs destroy`.
const BATCH: usize = 50;
/// How long the list of snapshots may take before a due snapshot is taken without it.
const TO_TAKE: Duration = Duration::from_secs(20);
/// How long the list of snapshots may take before pruning.
const TO_PRUNE: Duration = Duration::from_secs(240);

/// The result of a round.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Round {
    /// Snapshots taken, each `DATASET@NAME`.
    pub taken: Vec<String>,
    /// Snapshots pruned, each `DATASET@NAME`.
    pub pruned: Vec<String>,
    /// What was attempted and what was found.
    pub problems: Vec<String>,
    /// The datasets with a policy that do not exist.
    pub absent: Vec<String>,
    /// The state of each existing dataset with a policy.
    pub datasets: Vec<DatasetState>,
    /// Whether more could be pruned than [`BUDGET`].
    pub more: bool,
    /// How many could be pruned, but pruning is off or the pool is not healthy.
    pub waiting: usize,
}

/// The report of one or several rounds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Run {
    /// Snapshots taken, each `DATASET@NAME`; at most [`NAMES`] for several rounds.
    pub taken: Vec<String>,
    /// How many snapshots were pruned.
    pub pruned: usize,
    /// The first [`NAMES`] of them, each `DATASET@NAME`.
    pub pruned_names: Vec<String>,
    /// What was attempted and what was found.
    pub problems: Vec<String>,
    /// The state of the datasets afterwards.
    pub stands: Vec<DatasetState>,
    /// How many rounds it covers.
    pub runs: u32,
    /// Why nothing was pruned; empty when nothing could be.
    pub no_pruning: String,
}

/// The most names or problems in a report of several rounds.
const NAMES: usize = 10;

impl Run {
    /// The report of one round.
    pub fn of(round: Round, problems: Vec<String>, no_pruning: String) -> Self {
        Self {
            taken: round.taken,
            pruned: round.pruned.len(),
            pruned_names: round.pruned.into_iter().take(NAMES).collect(),
            problems,
            stands: round.datasets,
            runs: 1,
            no_pruning,
        }
    }

    /// The report of these rounds and later ones.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.taken.extend(more.taken);
        self.taken.truncate(NAMES);
        self.pruned += more.pruned;
        self.pruned_names.extend(more.pruned_names);
        self.pruned_names.truncate(NAMES);
        for problem in more.problems {
            if self.problems.len() < NAMES && !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        self.runs += more.runs;
        (self.stands, self.no_pruning) = (more.stands, more.no_pruning);
        self
    }
}

/// The state of one dataset's snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetState {
    /// Full name, such as `data/pve-files`.
    pub dataset: String,
    /// When the schedule took the newest, Unix seconds; None when it took none.
    pub newest_s: Option<u64>,
    /// Since when one is due, else when the next one is, Unix seconds; None when none is kept.
    pub due_s: Option<u64>,
    /// Number of snapshots that Heeler took.
    pub ours: usize,
    /// Number of all snapshots.
    pub total: usize,
}

/// Takes the due snapshots of all datasets, in each pool with one command at one moment. Prunes when `prune` is set
/// and the pool is healthy and the one that the schedule was accepted for.
pub async fn round(host: &dyn System, wanted: &Snapshots, prune: bool) -> Round {
    let mut round = Round::default();
    let pools = match zpool::status(host).await {
        Ok(pools) => pools,
        Err(error) => {
            round
                .problems
                .push(format!("the pools could not be looked at: {}", in_full(&error)));
            return round;
        }
    };
    let mut by_pool: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for policy in &wanted.task.policies {
        let pool = policy.dataset.split('/').next().unwrap_or_default();
        by_pool.entry(pool).or_default().push(&policy.dataset);
    }
    for (name, datasets) in by_pool {
        let guid = wanted.guid(name);
        match pools.iter().find(|pool| pool.name == name) {
            None => round
                .problems
                .push(format!("pool {name} is not imported: no snapshot of it was taken")),
            Some(pool) if guid.is_some_and(|guid| guid != pool.guid) => round.problems.push(format!(
                "pool {name} ({}) is not the pool that the schedule was written for: no snapshot was taken or pruned",
                pool.guid
            )),
            Some(pool) if pool.state == "SUSPENDED" => {
                let text = format!("pool {name} is suspended: no snapshot of it was taken. See zpool status -v {name}");
                round.problems.push(text);
            }
            Some(pool) => {
                let scanning = |scan: &zpool::Scan| scan.state == "SCANNING" && scan.function == "RESILVER";
                let whole = pool.state == "ONLINE" && !pool.scan.as_ref().is_some_and(scanning);
                of_pool(host, wanted, &datasets, prune && whole && guid.is_some(), &mut round).await;
            }
        }
    }
    round
}

async fn of_pool(host: &dyn System, wanted: &Snapshots, datasets: &[&str], prune: bool, round: &mut Round) {
    let mut due_for = Vec::new();
    let mut classes = Classes::default();
    let mut taken_names: Vec<Box<str>> = Vec::new();
    for dataset in datasets {
        let Some(keep) = wanted.task.of(dataset) else { continue };
        let snapshots = match zfs::snapshots_within(host, dataset, TO_TAKE).await {
            Ok(Some(snapshots)) => snapshots,
            Ok(None) => continue,
            Err(_) => {
                take_unseen(host, dataset, keep, round).await;
                continue;
            }
        };
        let due = due(&snapshots, keep, host.now_ms() / 1000);
        if !due.classes.is_empty() {
            due_for.push(*dataset);
            classes = classes.and(due.classes);
            taken_names.extend(snapshots.into_iter().map(|snapshot| snapshot.name));
        }
    }
    if !due_for.is_empty() {
        let taken = |name: &str| taken_names.iter().any(|one| **one == *name);
        let name = free_name(host.now_ms() / 1000, classes, taken);
        drop(taken_names);
        take(host, &due_for, &name, classes, round).await;
    }
    let mut patience = TO_PRUNE;
    for dataset in datasets {
        let Some(keep) = wanted.task.of(dataset) else { continue };
        // Listed again, so that decisions use the present state and only one list is in memory.
        let problem = match zfs::snapshots_within(host, dataset, patience).await {
            Ok(Some(snapshots)) => {
                settle(host, dataset, keep, &snapshots, prune, round).await;
                continue;
            }
            Ok(None) => {
                round.absent.push((*dataset).to_owned());
                continue;
            }
            Err(error) => {
                // The next snapshot becomes due meanwhile, so only one wait in a round may be long.
                patience = TO_TAKE;
                format!(
                    "{dataset} could not be looked at, and is not pruned: {}",
                    in_full(&error)
                )
            }
        };
        round.problems.push(problem);
    }
}

/// Prunes old snapshots and adds the dataset's state to the round.
async fn settle(host: &dyn System, dataset: &str, keep: &Keep, snapshots: &[Snapshot], prune: bool, round: &mut Round) {
    let now_s = host.now_ms() / 1000;
    let mut gone = 0;
    let mut gone_ours = |names: &[String]| gone += names.len();
    let names = prunable(snapshots, keep, now_s);
    if !prune {
        round.waiting += names.len();
    } else {
        let room = BUDGET.saturating_sub(round.pruned.len());
        round.more |= names.len() > room;
        for batch in names[..names.len().min(room)].chunks(BATCH) {
            match destroy(host, keep, dataset, batch).await {
                Ok(names) => {
                    gone_ours(&names);
                    round
                        .pruned
                        .extend(names.into_iter().map(|name| format!("{dataset}@{name}")));
                }
                Err(error) => round
                    .problems
                    .push(format!("could not prune {dataset}: {}", in_full(&error))),
            }
        }
    }
    round
        .datasets
        .push(dataset_state(dataset, keep, snapshots, gone, host.now_ms() / 1000));
}

/// Takes one snapshot of each class of a dataset whose list took too long. Its name is the start of the period, so
/// that ZFS refuses a second one.
async fn take_unseen(host: &dyn System, dataset: &str, keep: &Keep, round: &mut Round) {
    for class in keep.classes() {
        let begun = calendar::start(class, keep.frequent_minutes(), host.now_ms() / 1000);
        let classes = Classes::of([class]);
        let name = free_name(begun, classes, |_| false);
        take(host, &[dataset], &name, classes, round).await;
    }
}

/// The start of the names of scheduled snapshots.
pub const NAMED: &str = "heeler_";

/// The first free name from `now_s` on, such as `heeler_20261122T130000Z_daily`.
pub fn free_name(now_s: u64, classes: Classes, is_taken: impl Fn(&str) -> bool) -> String {
    let mut at_s = now_s;
    loop {
        let name = format!("{NAMED}{}_{}", calendar::Utc::of(at_s).stamp(), classes.longest());
        if !is_taken(&name) {
            return name;
        }
        at_s += 1;
    }
}

/// Takes the snapshots of all datasets at one moment. When ZFS refuses that (it takes all or none), takes each alone,
/// so that one does not stop the others.
async fn take(host: &dyn System, datasets: &[&str], name: &str, classes: Classes, round: &mut Round) {
    let mut groups = vec![datasets];
    while let Some(group) = groups.pop() {
        let command = zfs::snapshot_command(&classes.mark(), group, name);
        let problem = match host.run(&command).await {
            Ok(output) if output.ok() => {
                round
                    .taken
                    .extend(group.iter().map(|dataset| format!("{dataset}@{name}")));
                continue;
            }
            Ok(_) if group.len() > 1 => {
                groups.extend(group.chunks(1).rev());
                continue;
            }
            // Only when the list took too long: the snapshot was taken before.
            Ok(output) if output.stderr.contains("dataset already exists") => continue,
            Ok(output) => output.complaint(),
            Err(error) => in_full(&error),
        };
        let text = format!("could not take a snapshot of {}: {problem}", group.join(", "));
        round.problems.push(text);
    }
}

/// The snapshots to prune, oldest first: name and guid.
fn prunable(snapshots: &[Snapshot], keep: &Keep, now_s: u64) -> Vec<(Box<str>, u64)> {
    let decisions = keep_set::decisions(snapshots, Some(keep), &[], now_s);
    let going = snapshots
        .iter()
        .zip(decisions)
        .filter(|(_, decision)| decision.prunes());
    going
        .map(|(snapshot, _)| (snapshot.name.clone(), snapshot.guid))
        .collect()
}

/// Checks each snapshot again, asks ZFS what it would destroy, and destroys exactly that. Leaves out snapshots that
/// are held by now or have another guid. Returns the names destroyed.
async fn destroy(
    host: &dyn System,
    keep: &Keep,
    dataset: &str,
    batch: &[(Box<str>, u64)],
) -> Result<Vec<String>, RunError> {
    let now = zfs::snapshots_within(host, dataset, TO_PRUNE)
        .await?
        .unwrap_or_default();
    let still = prunable(&now, keep, host.now_ms() / 1000);
    let names: Vec<String> = still
        .into_iter()
        .filter(|one| batch.contains(one))
        .map(|(name, _)| name.into())
        .collect();
    drop(now);
    if names.is_empty() {
        return Ok(names);
    }
    let command = zfs::snapshots_command(dataset);
    let Some(batch) = Batch::new(dataset, names.clone()) else {
        return Err(RunError::unreadable(
            &command,
            "a name in it is not one that Heeler uses",
        ));
    };
    batch.rehearse(host).await?;
    let command = batch.command();
    let output = host.run(&command).await?;
    match output.ok() {
        true => Ok(names),
        false => Err(RunError::failed(&command, &output)),
    }
}

fn dataset_state(dataset: &str, keep: &Keep, snapshots: &[Snapshot], gone: usize, now_s: u64) -> DatasetState {
    let scheduled = |mark: &str| Classes::read(mark).iter().next().is_some();
    let ours = || snapshots.iter().filter_map(|one| Some((one, one.mark.as_deref()?)));
    let newest = ours().filter(|(one, mark)| scheduled(mark) && one.created_s <= now_s.saturating_add(60));
    let due = due(snapshots, keep, now_s);
    DatasetState {
        dataset: dataset.to_owned(),
        newest_s: newest.map(|(one, _)| one.created_s).max(),
        due_s: due.since_s.or(due.next_s),
        ours: ours().count() - gone,
        total: snapshots.len() - gone,
    }
}
