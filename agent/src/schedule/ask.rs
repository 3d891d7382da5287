use std::sync::Arc;
use std::time::Duration;

use heeler_host::zfs::{self, Snapshot};
use heeler_host::{Command, System, findmnt};
use heeler_proto::v1::snapshot_ask::Ask;
use heeler_proto::v1::{self, Refusal, SnapshotAnswer, SnapshotRow};
use heeler_proto::{Keep, KeepSnapshots};
use heeler_tasks::engine::in_full;
use heeler_tasks::snapshot::keep_set::{self, PruneDecision, Why};
use heeler_tasks::snapshot::round::free_name;
use heeler_tasks::snapshot::{Classes, schedule};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::session::Refused;

/// The most snapshots in one answer.
const PAGE: usize = 2000;
/// The most held snapshots of a page whose tags are asked for.
const HELD: usize = 200;
/// The most tags of one snapshot.
const TAGS: usize = 64;
/// The most lines of a diff.
const LINES: usize = 2000;
/// Time limit of each of the two commands that list one dataset: ZFS needs minutes for tens of thousands of
/// snapshots.
const LISTING: Duration = Duration::from_secs(240);
/// How many names, one for each of the next seconds, are tried for a snapshot without a name.
const NAMES: u64 = 60;
/// How long a request waits for a running task that uses the pool.
const BUSY: Duration = Duration::from_secs(20);

/// Answers a request about snapshots. Changes lock `pool`, as tasks do. Its error: why it is refused, or could not be
/// answered.
pub async fn answer(
    host: Arc<dyn System>,
    pool: Arc<Mutex<()>>,
    ask: v1::SnapshotAsk,
) -> Result<SnapshotAnswer, Refused> {
    let host = host.as_ref();
    let mut answer = SnapshotAnswer::default();
    match ask.ask.ok_or_else(|| invalid("the request is empty".to_owned()))? {
        Ask::List(list) => {
            answer = rows(host, &list).await?;
        }
        Ask::Diff(diff) => {
            let (dataset, _) = snapshot(&diff.from)?;
            let to = match diff.to.as_str() {
                "" => dataset,
                to if snapshot(to)?.0 == dataset => to,
                to => return Err(invalid(format!("{to} is of another dataset than {}", diff.from))),
            };
            let changes = zfs::diff(host, &diff.from, to).await;
            let mut changes = changes.map_err(|error| undiffed(&diff, in_full(&error)))?;
            answer.diff_cut = changes.len() > LINES;
            changes.truncate(LINES);
            answer.diff = changes.into_iter().map(line).collect();
        }
        Ask::Create(create) => {
            answer.created = self::create(host, &pool, &create).await?;
        }
        Ask::Hold(hold) => {
            snapshot(&hold.snapshot)?;
            let done = run(host, &pool, &zfs::hold_command(tag(&hold.tag)?, &hold.snapshot)).await;
            done.map_err(|said| unheld(&hold, said))?;
        }
        Ask::Release(hold) => {
            snapshot(&hold.snapshot)?;
            let done = run(host, &pool, &zfs::release_command(tag(&hold.tag)?, &hold.snapshot)).await;
            done.map_err(|said| unheld(&hold, said))?;
        }
    }
    Ok(answer)
}

fn refused(kind: Refusal, text: String) -> Refused {
    Refused { kind, text }
}

fn invalid(text: String) -> Refused {
    refused(Refusal::Invalid, text)
}

fn no_dataset(dataset: &str) -> Refused {
    refused(Refusal::NoDataset, format!("there is no dataset {dataset}"))
}

/// ZFS's refusal of a hold or of its release, in this product's words: ZFS calls a snapshot a dataset.
fn unheld(hold: &v1::HoldSnapshot, said: String) -> Refused {
    let (snapshot, tag) = (&hold.snapshot, &hold.tag);
    if said.contains("dataset does not exist") {
        refused(Refusal::NoSnapshot, format!("there is no snapshot {snapshot}"))
    } else if said.contains("tag already exists") {
        let text = format!("{snapshot} is held with the tag {tag} already; choose another --tag");
        refused(Refusal::Held, text)
    } else if said.contains("no such tag") {
        refused(Refusal::NoHold, format!("{snapshot} has no hold with the tag {tag}"))
    } else {
        said.into()
    }
}

/// The same for a comparison.
fn undiffed(diff: &v1::DiffSnapshots, said: String) -> Refused {
    if said.contains("Not an earlier snapshot") {
        return invalid("the second snapshot must be newer than the first; swap them".to_owned());
    }
    if !["No such file or directory", "does not exist"]
        .iter()
        .any(|words| said.contains(words))
    {
        return said.into();
    }
    let text = match diff.to.as_str() {
        "" => format!("there is no snapshot {}", diff.from),
        to => format!("{} or {to} does not exist", diff.from),
    };
    refused(Refusal::NoSnapshot, text)
}

async fn run(host: &dyn System, pool: &Mutex<()>, command: &Command) -> Result<(), String> {
    let held = timeout(BUSY, pool.lock()).await;
    let _held = held.map_err(|_| "a task uses the pool: try again when it has ended (heeler task list)")?;
    let output = host.run(command).await.map_err(|error| in_full(&error))?;
    if output.ok() { Ok(()) } else { Err(output.complaint()) }
}

/// A page of snapshots, and where the next one starts. Each page has one dataset, so that a slow one, or one that
/// cannot be listed, does not affect the others. Only the rows of the page are built.
async fn rows(host: &dyn System, list: &v1::ListSnapshots) -> Result<SnapshotAnswer, Refused> {
    let text = heeler_host::whole_text(host, schedule::SNAPSHOTS)
        .await
        .map_err(|error| in_full(&error))?;
    let wanted: KeepSnapshots = text
        .map(|text| schedule::snapshots(&text).map_err(|error| error.to_string()))
        .transpose()?
        .unwrap_or_default()
        .task;
    let mut datasets: Vec<&str> = match list.dataset.as_str() {
        "" => wanted.policies.iter().map(|policy| policy.dataset.as_str()).collect(),
        one => vec![dataset(one)?],
    };
    let mut last = "";
    if let Some((from, name)) = list.after.split_once('@') {
        let at = datasets.iter().position(|dataset| *dataset == from);
        let at = at.ok_or_else(|| CHANGED.to_owned())?;
        datasets.drain(..at + usize::from(name.is_empty()));
        last = name;
    }
    let mounts = findmnt::mounts(host).await.unwrap_or_default();
    let now_s = host.now_ms() / 1000;
    let most = match list.limit as usize {
        0 => PAGE,
        limit => PAGE.min(limit),
    };
    let mut answer = SnapshotAnswer::default();
    for (left, dataset) in (0..datasets.len()).rev().zip(datasets) {
        (answer.more, answer.next) = (left > 0, format!("{dataset}@"));
        let snapshots = match zfs::snapshots_within(host, dataset, LISTING).await {
            Ok(Some(snapshots)) => snapshots,
            Ok(None) if list.dataset.is_empty() => continue,
            Ok(None) => return Err(no_dataset(dataset)),
            Err(error) if list.dataset.is_empty() => {
                let text = format!("{dataset} could not be listed: {}", in_full(&error));
                answer.problems.push(text);
                break;
            }
            Err(error) => return Err(in_full(&error).into()),
        };
        let mut mounts = mounts.iter();
        let mount = mounts.find(|mount| mount.kind == "zfs" && mount.source == dataset);
        let below = mount.map(|mount| format!("{}/.zfs/snapshot", mount.target));
        let mut judged = judged(&snapshots, wanted.of(dataset), now_s)
            .filter(|(_, decision)| decision.prunes() || !list.prunable)
            .peekable();
        let after = std::mem::take(&mut last);
        if !after.is_empty() && !judged.any(|(one, _)| *one.name == *after) {
            return Err(CHANGED.to_owned().into());
        }
        for (one, decision) in judged.by_ref().take(most) {
            answer.rows.push(row(dataset, one, decision, below.as_deref()));
        }
        if let (Some(_), Some(last)) = (judged.peek(), answer.rows.last()) {
            (answer.more, answer.next) = (true, format!("{dataset}@{}", last.name));
        }
        if !answer.rows.is_empty() {
            break;
        }
    }
    tags(host, &mut answer.rows).await;
    Ok(answer)
}

/// Adds the tags of the first held snapshots. When ZFS does not list them, the rows still have the number of holds.
async fn tags(host: &dyn System, rows: &mut [SnapshotRow]) {
    let full = |row: &SnapshotRow| format!("{}@{}", row.dataset, row.name);
    let held: Vec<String> = rows.iter().filter(|row| row.holds > 0).take(HELD).map(full).collect();
    if held.is_empty() {
        return;
    }
    for hold in zfs::holds(host, &held).await.unwrap_or_default() {
        let mut rows = rows.iter_mut();
        let row = rows.find(|row| full(row) == hold.snapshot && row.tags.len() < TAGS);
        if let Some(row) = row {
            row.tags.push(hold.tag);
        }
    }
}

const CHANGED: &str = "the list changed meanwhile: try again";

fn judged<'a>(
    snapshots: &'a [Snapshot],
    keep: Option<&Keep>,
    now_s: u64,
) -> impl Iterator<Item = (&'a Snapshot, PruneDecision)> {
    snapshots.iter().zip(keep_set::decisions(snapshots, keep, &[], now_s))
}

fn row(dataset: &str, snapshot: &Snapshot, decision: PruneDecision, below: Option<&str>) -> SnapshotRow {
    let mark = snapshot.mark.as_deref().unwrap_or_default();
    SnapshotRow {
        dataset: dataset.to_owned(),
        name: snapshot.name.to_string(),
        guid: snapshot.guid.to_string(),
        created_ms: snapshot.created_s.saturating_mul(1000),
        used_bytes: snapshot.used_bytes,
        holds: if snapshot.is_odd() { 0 } else { snapshot.holds },
        clones: snapshot.clones.clone(),
        classes: mark
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
        prune: decision.prunes(),
        reason: match decision {
            PruneDecision::Keep(Why::Held(_)) => String::new(),
            decision => decision.to_string(),
        },
        path: below
            .map(|below| format!("{below}/{}", snapshot.name))
            .unwrap_or_default(),
        tags: Vec::new(),
    }
}

/// The letters are of zfs-diff(8).
fn kind(letter: &str) -> v1::FileChange {
    match letter {
        "+" => v1::FileChange::Made,
        "-" => v1::FileChange::Removed,
        "M" => v1::FileChange::Modified,
        "R" => v1::FileChange::Renamed,
        _ => v1::FileChange::Unspecified,
    }
}

fn line(change: zfs::Change) -> v1::DiffLine {
    v1::DiffLine {
        change: kind(&change.kind).into(),
        path: change.path,
        new_path: change.new_path.unwrap_or_default(),
    }
}

/// Takes a snapshot with the requested name, or with one made from the time. It does not list the others, which could
/// take minutes.
async fn create(host: &dyn System, pool: &Mutex<()>, create: &v1::CreateSnapshot) -> Result<String, Refused> {
    let dataset = dataset(&create.dataset)?;
    let mark = Classes::manual().mark();
    let now_s = host.now_ms() / 1000;
    for later in 0..NAMES {
        let name = match create.name.as_str() {
            "" => free_name(now_s + later, Classes::manual(), |_| false),
            name => word("name", name)?.to_owned(),
        };
        match run(host, pool, &zfs::snapshot_command(&mark, &[dataset], &name)).await {
            Ok(()) => return Ok(format!("{dataset}@{name}")),
            // Another one was taken in the same second.
            Err(said) if create.name.is_empty() && said.contains("dataset already exists") => {}
            Err(said) if said.contains("dataset already exists") => {
                let text = format!("{dataset}@{name} exists already; choose another --name");
                return Err(refused(Refusal::Exists, text));
            }
            Err(said) if said.contains("dataset does not exist") => return Err(no_dataset(dataset)),
            Err(said) => return Err(said.into()),
        }
    }
    let text =
        format!("{dataset} already has snapshots with the names for the next {NAMES} seconds: give a name with --name");
    Err(refused(Refusal::Exists, text))
}

fn dataset(text: &str) -> Result<&str, Refused> {
    heeler_proto::dataset_name(text).map_err(|why| invalid(why.to_string()))
}

/// Dataset and name of `DATASET@NAME`, also of snapshots that Heeler did not take.
fn snapshot(text: &str) -> Result<(&str, &str), Refused> {
    let parts = text.split_once('@');
    let (dataset, name) =
        parts.ok_or_else(|| invalid(format!("{text:?} is not a snapshot: write it as DATASET@NAME")))?;
    Ok((self::dataset(dataset)?, word("name", name)?))
}

fn tag(text: &str) -> Result<&str, Refused> {
    word("tag", text)
}

fn word<'a>(what: &str, text: &'a str) -> Result<&'a str, Refused> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.: ".contains(c);
    let fits = !text.is_empty() && text.len() <= 100 && !text.starts_with('-') && text.chars().all(inner);
    fits.then_some(text).ok_or_else(|| {
        invalid(format!(
            "{text:?} is not a {what}: letters, digits, and - _ . : inside, at most 100"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_zfs_names_the_snapshot() {
        let hold = v1::HoldSnapshot {
            snapshot: "data/vm@x".into(),
            tag: "keep".into(),
            consent: None,
        };
        let said = |words: &str| unheld(&hold, format!("cannot hold snapshot 'data/vm@x': {words}"));
        let gone = said("dataset does not exist");
        assert_eq!(
            gone,
            refused(Refusal::NoSnapshot, "there is no snapshot data/vm@x".into())
        );
        assert_eq!(said("tag already exists on this dataset").kind, Refusal::Held);
        assert_eq!(said("no such tag on this dataset").kind, Refusal::NoHold);
        assert_eq!(said("out of space").kind, Refusal::Unspecified);
    }

    #[test]
    fn a_comparison_in_the_wrong_order_is_not_valid() {
        let diff = v1::DiffSnapshots {
            from: "data/vm@x".into(),
            to: "data/vm@w".into(),
        };
        let said = |words: &str| undiffed(&diff, format!("Unable to obtain diffs: \n   {words}"));
        assert_eq!(said("Not an earlier snapshot from the same fs").kind, Refusal::Invalid);
        assert_eq!(said("No such file or directory").kind, Refusal::NoSnapshot);
    }
}
