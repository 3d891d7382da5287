use std::time::Duration;

use heeler_proto::v1::{self, snapshot_ask::Ask};
use heeler_store::Node;
use prost::Message as _;
use tokio::time::timeout;

use super::{App, AppError, Who, hex, ledger, node_name, nodes, random_bits};
use crate::known::{nearest, short, word};

/// How long a node may take to answer: as long as the longest program that it runs for it.
const ANSWER: Duration = Duration::from_secs(60);
/// The same for a page of a list: two programs, which take minutes with tens of thousands of snapshots.
const LIST: Duration = Duration::from_secs(500);
/// Most characters of a node's answer in the audit log.
const DETAIL: usize = 4096;

impl App {
    /// Asks a node to list or compare snapshots, or to create, hold or release one. A change is entered in the audit
    /// log before the node gets the request, and again with its outcome.
    ///
    /// # Errors
    /// When the node is not known or not connected, does not answer in time, or refuses.
    pub async fn snapshots(&self, request: v1::SnapshotsRequest, who: &Who) -> Result<v1::SnapshotAnswer, AppError> {
        let node = nodes::known(&mut self.store.read().await?, &request.node).await?;
        let name = &node.name;
        if node.state.is_shut_out() {
            let state = node.state.as_str();
            return Err(AppError::Refused(format!("{name} is {state}: it cannot connect")));
        }
        let session = self.sessions.of(&node_name(name)?).ok_or_else(|| {
            AppError::Refused(format!(
                "{name} is not connected: its snapshots continue, but cannot be listed from here\nOn the node: zfs \
                 list -t snapshot"
            ))
        })?;
        let ask = request.ask.and_then(|ask| ask.ask);
        let ask = ask.ok_or_else(|| AppError::Invalid("the request is empty".to_owned()))?;
        let audited = audited_action(&ask);
        if let Some((asked, _, detail)) = &audited {
            let mut tx = self.store.write().await?;
            self.audit_of(&mut tx, &who.name, asked, name, detail).await?;
            tx.save().await?;
        }
        let dataset = dataset_of(&ask).to_owned();
        let of_snapshot = !matches!(ask, Ask::List(_) | Ask::Create(_));
        let ask = v1::SnapshotAsk {
            request_id: hex(&random_bits()?.to_be_bytes()),
            ask: Some(ask),
        };
        let patience = if let Some(Ask::List(_)) = &ask.ask {
            LIST
        } else {
            ANSWER
        };
        let answer = match timeout(patience, session.ask_snapshots(ask)).await {
            Ok(Ok(answer)) if answer.error.is_empty() => Ok(answer),
            Ok(Ok(answer)) => Err(("refused", format!("{name}: {}", answer.error))),
            Ok(Err(_)) => Err(("not known", format!("the connection to {name} was lost meanwhile"))),
            Err(_) => {
                let text = format!("{name} did not answer within {} s", patience.as_secs());
                Err(("not known", text))
            }
        };
        if let Some((asked, done, detail)) = audited {
            let mut tx = self.store.write().await?;
            let (action, detail) = match &answer {
                Ok(answer) if answer.created.is_empty() => (done.to_owned(), detail),
                Ok(answer) => (done.to_owned(), answer.created.clone()),
                Err((outcome, why)) => (format!("{asked}: {outcome}"), format!("{detail}: {why}")),
            };
            let detail: String = detail.chars().take(DETAIL).collect();
            self.audit_of(&mut tx, &who.name, &action, name, &detail).await?;
            let event = self.event("snapshot", name, format!("{action} by {}: {detail}", who.name));
            self.tell(tx, event).await?;
        }
        answer.map_err(|(_, why)| {
            let missing = why.contains(&format!("there is no dataset {dataset}"));
            let near = missing.then(|| meant(&node, &dataset)).flatten();
            refusal(why, name, (&dataset, of_snapshot), near)
        })
    }

    /// Updates the node's facts from a round of its snapshot schedule, which is newer.
    pub(super) fn see_round(node: &mut Node, run: &v1::SnapshotRun) -> Result<(), AppError> {
        if run.stands.is_empty() {
            return Ok(());
        }
        let mut facts = ledger::facts_of(node)?.unwrap_or_default();
        let schedule = facts.schedule.get_or_insert_default();
        schedule.stands.clone_from(&run.stands);
        schedule.no_pruning.clone_from(&run.no_pruning);
        node.facts = Some(facts.encode_to_vec());
        Ok(())
    }

    /// Updates the node's facts from a scrub. The end of the last scrub is stored here because ZFS shows only the
    /// last scan, scrub or resilver (zpool-status(8)).
    pub(super) fn see_scrub(node: &mut Node, run: &v1::ScrubRun, at_ms: u64) -> Result<(), AppError> {
        let mut facts = ledger::facts_of(node)?.unwrap_or_default();
        let schedule = facts.schedule.get_or_insert_default();
        match run.what.as_str() {
            "started" => schedule.scrub_percent = 1,
            "finished" => {
                schedule.scrub_percent = 0;
                // An agent that was away reports old scrubs late.
                schedule.last_scrub_ms = schedule.last_scrub_ms.max(at_ms);
            }
            _ => schedule.scrub_percent = 0,
        }
        node.facts = Some(facts.encode_to_vec());
        Ok(())
    }
}

/// The dataset that a request is about; empty for the list of all.
fn dataset_of(ask: &Ask) -> &str {
    let full = match ask {
        Ask::List(one) => &one.dataset,
        Ask::Create(one) => &one.dataset,
        Ask::Diff(one) => &one.from,
        Ask::Hold(one) | Ask::Release(one) => &one.snapshot,
    };
    full.split('@').next().unwrap_or_default()
}

/// The dataset with a policy on this node whose name is most like `dataset`.
fn meant(node: &Node, dataset: &str) -> Option<String> {
    let schedule = ledger::facts_of(node).ok()??.schedule?;
    let names = schedule.stands.iter().map(|stand| stand.dataset.as_str());
    nearest(dataset, names).map(short)
}

/// The error for what the node answered, which quotes ZFS: a wrong name and wrong usage are no refusals.
fn refusal(why: String, node: &str, (dataset, of_snapshot): (&str, bool), near: Option<String>) -> AppError {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let meant = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
    let see = match of_snapshot {
        true => format!("{meant}See: heeler snapshot list {node} --dataset {}", word(dataset)),
        false => format!("{meant}See: heeler snapshot list {node}"),
    };
    if says(&["does not exist", "there is no dataset", "no such tag"]) {
        AppError::NotFound(format!("{why}\n{see}"))
    } else if says(&["already exists"]) {
        AppError::Taken(format!("{why}\n{see}"))
    } else if says(&["write it as DATASET@NAME", "at most 100", "is of another dataset than"]) {
        AppError::Invalid(why)
    } else {
        AppError::Refused(why)
    }
}

/// For the audit log: the action when asked for, the action when done, and the object. None for a request that
/// changes nothing.
fn audited_action(ask: &Ask) -> Option<(&'static str, &'static str, String)> {
    let create = ("snapshot asked for", "snapshot created");
    let hold = ("hold asked for", "snapshot held");
    let release = ("release asked for", "snapshot released");
    let ((asked, done), what) = match ask {
        Ask::List(_) | Ask::Diff(_) => return None,
        Ask::Create(one) if one.name.is_empty() => (create, one.dataset.clone()),
        Ask::Create(one) => (create, format!("{}@{}", one.dataset, one.name)),
        Ask::Hold(one) => (hold, format!("{} as {}", one.snapshot, one.tag)),
        Ask::Release(one) => (release, format!("{} of {}", one.snapshot, one.tag)),
    };
    Some((asked, done, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_no_refusal() {
        let error = |why: &str| refusal(format!("pi5l: {why}"), "pi5l", ("data/my vm", true), None);
        for gone in [
            "cannot hold snapshot 'data/vm@x': dataset does not exist",
            "there is no dataset data/vm",
            "cannot release hold from snapshot 'data/vm@x': no such tag on this dataset",
        ] {
            let AppError::NotFound(text) = error(gone) else {
                panic!("{gone}")
            };
            assert!(
                text.ends_with("\nSee: heeler snapshot list pi5l --dataset 'data/my vm'"),
                "{text}"
            );
        }
        let taken = error("cannot create snapshot 'data/vm@x': dataset already exists");
        assert!(matches!(taken, AppError::Taken(_)));
        let wrong = error("\"x\" is not a snapshot: write it as DATASET@NAME");
        assert!(matches!(wrong, AppError::Invalid(_)));
        assert!(matches!(error("out of space"), AppError::Refused(_)));
    }
}
