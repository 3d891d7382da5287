use std::time::Duration;

use crate::side_by_side::side_by_side;
use crate::{Command, Output, RunError, System};

/// The user property that Heeler sets on each snapshot that it takes: the snapshot's classes, such as `hourly,daily`.
/// It marks a snapshot as Heeler's only when set on the snapshot itself, because snapshots inherit the properties of
/// datasets.
pub const MARK: &str = "heeler:class";

/// A snapshot, as `zfs list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The part after the `@`.
    pub name: Box<str>,
    /// Unique among all snapshots; a copy of the snapshot on another machine has the same one.
    pub guid: u64,
    /// The transaction group (txg) that created it: gives the order of creation even when the clock was wrong.
    pub createtxg: u64,
    /// Creation time by the machine's clock then, Unix seconds.
    pub created_s: u64,
    /// Bytes that would become free if it alone were destroyed.
    pub used_bytes: u64,
    /// Number of holds; see [`Self::is_odd`].
    pub holds: u32,
    /// Datasets that were cloned from it.
    pub clones: Vec<String>,
    /// The value of [`MARK`], when it is set on the snapshot itself.
    pub mark: Option<Box<str>>,
}

/// As if it had more holds than can be counted, so that the snapshot is never destroyed.
const ODD: u32 = u32::MAX;

impl Snapshot {
    /// Whether ZFS reports it incompletely: then only its name is known, and it is never pruned.
    pub const fn is_odd(&self) -> bool {
        self.holds == ODD
    }
}

/// The snapshots of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The dataset's full name, such as `data/pve-files`.
    pub dataset: String,
    /// In order of creation; None when there is no such dataset.
    pub snapshots: Option<Vec<Snapshot>>,
}

/// `zfs list -Hp -t snapshot -d 1 -s createtxg -o … DATASET`: as text, because ten thousand snapshots are 15 MB of
/// JSON.
pub fn snapshots_command(dataset: &str) -> Command {
    let columns = "name,guid,createtxg,creation,used,userrefs,clones";
    Command::look("zfs")
        .args(["list", "-Hp", "-t", "snapshot", "-d", "1", "-s", "createtxg", "-o"])
        .args([columns, dataset])
}

/// `zfs get -Hp -t snapshot -d 1 -s local -o name,property,value heeler:class DATASET`.
pub fn marks_command(dataset: &str) -> Command {
    Command::look("zfs")
        .args(["get", "-Hp", "-t", "snapshot", "-d", "1", "-s", "local", "-o"])
        .args(["name,property,value", MARK, dataset])
}

/// Time limit of each of the two commands for one dataset, when a person waits for a plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// The snapshots of each dataset, without those of the datasets below. All datasets are listed in parallel, so that a
/// slow one does not delay the others. Fails when ZFS fails, or its output cannot be read.
pub async fn snapshots(host: &dyn System, datasets: &[&str]) -> Result<Vec<Listing>, RunError> {
    let looks = datasets.iter().map(|dataset| async move {
        Ok(Listing {
            dataset: (*dataset).to_owned(),
            snapshots: snapshots_within(host, dataset, PATIENCE).await?,
        })
    });
    side_by_side(looks).await.into_iter().collect()
}

/// The snapshots of one dataset in order of creation; None when there is no such dataset. It runs two commands, each
/// for at most `patience`: tens of thousands of snapshots take minutes. Its errors are those of [`snapshots`].
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

/// The latest creation time that is accepted: the end of the year 9999, Unix seconds.
const LATEST_S: u64 = 253_402_300_799;

/// A line without a snapshot's name is an error: an incomplete list could be taken for the whole. When only other
/// fields are unexpected, that snapshot alone is odd.
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

/// A mark of a snapshot that is not in the list is skipped: the snapshot was created after the list.
pub(crate) fn mark(command: &Command, dataset: &str, text: &str, snapshots: &mut [Snapshot]) -> Result<(), RunError> {
    let mut order: Vec<usize> = (0..snapshots.len()).collect();
    order.sort_unstable_by(|a, b| snapshots[*a].name.cmp(&snapshots[*b].name));
    for line in text.lines() {
        let mut fields = line.split('\t');
        let name = fields
            .next()
            .and_then(|name| name.strip_prefix(dataset)?.strip_prefix('@'));
        let name = name.ok_or_else(|| RunError::unreadable(command, format!("the line {line:?}")))?;
        // Without a readable mark the snapshot is not Heeler's, so it is not pruned.
        let (Some(MARK), Some(value), None) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if let Ok(at) = order.binary_search_by(|at| (*snapshots[*at].name).cmp(name)) {
            snapshots[order[at]].mark = Some(value.into());
        }
    }
    Ok(())
}

/// `zfs snapshot -o heeler:class=MARK DATASET@NAME…`: takes all of them at one moment, or none. All must be in one
/// pool.
pub fn snapshot_command(mark: &str, datasets: &[&str], name: &str) -> Command {
    Command::change("zfs")
        .args(["snapshot", "-o"])
        .arg(format!("{MARK}={mark}"))
        .args(datasets.iter().map(|dataset| format!("{dataset}@{name}")))
}
