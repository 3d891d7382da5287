use std::time::Duration;

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
    /// How many tags hold it.
    pub holds: u32,
    /// Datasets that live on it.
    pub clones: Vec<String>,
    /// The value of [`MARK`], when it was set on this very snapshot.
    pub mark: Option<Box<str>>,
}

/// One dataset's snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The dataset.
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

const MINUTE: Duration = Duration::from_secs(60);

/// Each dataset's own snapshots, not those below it.
///
/// # Errors
/// When ZFS cannot be asked, or its answer cannot be read.
pub async fn snapshots(host: &dyn System, datasets: &[&str]) -> Result<Vec<Listing>, RunError> {
    let mut listings = Vec::with_capacity(datasets.len());
    for dataset in datasets {
        listings.push(Listing {
            dataset: (*dataset).to_owned(),
            snapshots: snapshots_within(host, dataset, MINUTE).await?,
        });
    }
    Ok(listings)
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

/// Half a list of snapshots would be taken for the whole: any line that is not as expected is an error.
pub(crate) fn listed(command: &Command, dataset: &str, text: &str) -> Result<Vec<Snapshot>, RunError> {
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next()?.strip_prefix(dataset)?.strip_prefix('@')?;
        let mut number = || fields.next()?.parse().ok();
        let (guid, createtxg, created_s, used_bytes) = (number()?, number()?, number()?, number()?);
        let holds = u32::try_from(number()?).ok()?;
        let clones = fields.next()?;
        let clones = clones.split(',').filter(|clone| !clone.is_empty() && *clone != "-");
        Some(Snapshot {
            name: name.into(),
            guid,
            createtxg,
            created_s,
            used_bytes,
            holds,
            clones: clones.map(str::to_owned).collect(),
            mark: None,
        })
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
        let (Some(name), Some(MARK), Some(value), None) = (name, fields.next(), fields.next(), fields.next()) else {
            return Err(RunError::unreadable(command, format!("the line {line:?}")));
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
