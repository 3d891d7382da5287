use std::time::Duration;

use crate::side_by_side::side_by_side;
use crate::{Command, Output, RunError, System};

/// The user property that Heeler sets on every snapshot that it takes: the classes that it serves, `hourly,daily`. Only
/// where it was set on the snapshot itself does it say that the snapshot is ours: it is inherited from datasets.
pub const MARK: &str = "heeler:class";

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Behind the `@`.
    pub name: Box<str>,
    /// Never that of another snapshot, on any machine but for a copy of this one.
    pub guid: u64,
    /// The transaction group that made it: the order in which snapshots were made, whatever the clock said.
    pub createtxg: u64,
    /// By the machine's clock then, Unix seconds.
    pub created_s: u64,
    /// What would be free without it.
    pub used_bytes: u64,
    /// How many tags hold it; see [`Self::is_odd`].
    pub holds: u32,
    /// Datasets that live on it.
    pub clones: Vec<String>,
    /// The value of [`MARK`], when it was set on this very snapshot.
    pub mark: Option<Box<str>>,
}

/// Held by more than can be counted: whatever is made of such a snapshot, it stays.
const ODD: u32 = u32::MAX;

impl Snapshot {
    /// ZFS says something of it that cannot be read: only its name is known. It hides no other, and is never pruned.
    #[must_use]
    pub const fn is_odd(&self) -> bool {
        self.holds == ODD
    }
}

/// One dataset's snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// With its pool, such as `data/pve-files`.
    pub dataset: String,
    /// In the order in which they were made. None when there is no such dataset.
    pub snapshots: Option<Vec<Snapshot>>,
}

/// `zfs list -Hp -t snapshot -d 1 -s createtxg -o … DATASET`: text, since ten thousand snapshots are 15 MB of JSON.
#[must_use]
pub fn snapshots_command(dataset: &str) -> Command {
    let columns = "name,guid,createtxg,creation,used,userrefs,clones";
    Command::new("zfs")
        .args(["list", "-Hp", "-t", "snapshot", "-d", "1", "-s", "createtxg", "-o"])
        .args([columns, dataset])
}

/// `zfs get -Hp -t snapshot -d 1 -s local -o name,property,value heeler:class DATASET`.
#[must_use]
pub fn marks_command(dataset: &str) -> Command {
    Command::new("zfs")
        .args(["get", "-Hp", "-t", "snapshot", "-d", "1", "-s", "local", "-o"])
        .args(["name,property,value", MARK, dataset])
}

/// What each of the two programs that list one dataset may take where a person waits for a plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each dataset's own snapshots, not those below it. All are listed side by side: one that is slow delays no other.
///
/// # Errors
/// When ZFS cannot be asked, or its answer cannot be read.
pub async fn snapshots(host: &dyn System, datasets: &[&str]) -> Result<Vec<Listing>, RunError> {
    let looks = datasets.iter().map(|dataset| async move {
        Ok(Listing {
            dataset: (*dataset).to_owned(),
            snapshots: snapshots_within(host, dataset, PATIENCE).await?,
        })
    });
    side_by_side(looks).await.into_iter().collect()
}

/// One dataset's own snapshots, in the order in which they were made; None when there is no such dataset. Of tens of
/// thousands the list takes minutes: each of the two programs that are asked may take `patience`.
///
/// # Errors
/// As [`snapshots`].
pub async fn snapshots_within(
    host: &dyn System,
    dataset: &str,
    patience: Duration,
) -> Result<Option<Vec<Snapshot>>, RunError> {
    let command = snapshots_command(dataset).timeout(patience);
    let Some(output) = unless_missing(host, &command).await? else {
        return Ok(None);
    };
    let mut snapshots = listed(&command, dataset, &output.stdout)?;
    drop(output);
    let command = marks_command(dataset).timeout(patience);
    if let Some(output) = unless_missing(host, &command).await? {
        mark(&command, dataset, &output.stdout, &mut snapshots)?;
    }
    Ok(Some(snapshots))
}

async fn unless_missing(host: &dyn System, command: &Command) -> Result<Option<Output>, RunError> {
    let output = host.run(command).await?;
    match output.ok() {
        true => Ok(Some(output)),
        false if output.stderr.contains("dataset does not exist") => Ok(None),
        false => Err(RunError::failed(command, &output)),
    }
}

/// No snapshot is younger: the end of the year 9999, Unix seconds.
const LATEST_S: u64 = 253_402_300_799;

/// Half a list of snapshots would be taken for the whole: a line that names no snapshot of the dataset is an error. Where
/// only what follows the name is not as expected, that snapshot alone is odd.
pub(crate) fn listed(command: &Command, dataset: &str, text: &str) -> Result<Vec<Snapshot>, RunError> {
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next()?.strip_prefix(dataset)?.strip_prefix('@')?;
        let mut number = || fields.next()?.parse::<u64>().ok();
        let numbers = [number(), number(), number(), number(), number()];
        let clones = fields.next();
        let mut snapshot = Snapshot {
            name: name.into(),
            guid: 0,
            createtxg: 0,
            created_s: 0,
            used_bytes: 0,
            holds: ODD,
            clones: Vec::new(),
            mark: None,
        };
        if let (
            [
                Some(guid),
                Some(createtxg),
                Some(created_s),
                Some(used_bytes),
                Some(holds),
            ],
            Some(clones),
        ) = (numbers, clones)
            && created_s <= LATEST_S
        {
            let clones = clones.split(',').filter(|clone| !clone.is_empty() && *clone != "-");
            snapshot = Snapshot {
                guid,
                createtxg,
                created_s,
                used_bytes,
                holds: u32::try_from(holds).unwrap_or(ODD),
                clones: clones.map(str::to_owned).collect(),
                ..snapshot
            };
        }
        Some(snapshot)
    };
    text.lines()
        .map(|line| read(line).ok_or_else(|| RunError::unreadable(command, format!("the line {line:?}"))))
        .collect()
}

/// A mark of a snapshot that was not listed a moment before is that of a newer one: left out.
pub(crate) fn mark(command: &Command, dataset: &str, text: &str, snapshots: &mut [Snapshot]) -> Result<(), RunError> {
    let mut order: Vec<usize> = (0..snapshots.len()).collect();
    order.sort_unstable_by(|a, b| snapshots[*a].name.cmp(&snapshots[*b].name));
    for line in text.lines() {
        let mut fields = line.split('\t');
        let name = fields
            .next()
            .and_then(|name| name.strip_prefix(dataset)?.strip_prefix('@'));
        let name = name.ok_or_else(|| RunError::unreadable(command, format!("the line {line:?}")))?;
        // Without a mark that can be read it is not ours to prune.
        let (Some(MARK), Some(value), None) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if let Ok(at) = order.binary_search_by(|at| (*snapshots[*at].name).cmp(name)) {
            snapshots[order[at]].mark = Some(value.into());
        }
    }
    Ok(())
}

/// `zfs snapshot -o heeler:class=MARK DATASET@NAME…`: all of them or none, at one moment. All must be of one pool.
#[must_use]
pub fn snapshot_command(mark: &str, datasets: &[&str], name: &str) -> Command {
    Command::new("zfs")
        .args(["snapshot", "-o"])
        .arg(format!("{MARK}={mark}"))
        .args(datasets.iter().map(|dataset| format!("{dataset}@{name}")))
}
