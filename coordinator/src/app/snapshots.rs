use std::time::Duration;

use heeler_proto::v1::{self, snapshot_ask::Ask};
use heeler_store::Node;
use prost::Message as _;

use super::{App, AppError, Who, ledger, node_name, nodes, revision};
use crate::known::{nearest, short, word};
use crate::sessions::{NoAnswer, Session};

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
        let audited = Act::of(&ask);
        if let Some(act) = &audited {
            let mut tx = self.store.write().await?;
            self.audit(&mut tx, &who.name, act.asked, name, &act.what).await?;
            tx.save().await?;
        }
        let answer = answered(&session, ask.clone()).await;
        let answer = match answer {
            Err((outcome @ "refused", why)) => Err((outcome, plain(&ask, why))),
            answer => answer,
        };
        if let Some(act) = audited {
            let mut tx = self.store.write().await?;
            let (action, detail, text) =
                act.outcome(answer.as_ref().map_err(|(outcome, why)| (*outcome, why.as_str())));
            let short = |text: String| -> String { text.chars().take(DETAIL).collect() };
            self.audit(&mut tx, &who.name, &action, name, &short(detail)).await?;
            let event = self.event("snapshot", name, short(format!("{} {text}", who.name)));
            self.save_with_event(tx, event).await?;
        }
        match answer {
            Ok(answer) => Ok(answer),
            Err((_, why)) => {
                let near = self.meant(&session, &node, &ask, &why).await;
                Err(refusal(format!("{name}: {why}"), name, &ask, near))
            }
        }
    }

    /// What a person most likely meant by a name that does not exist on this node.
    async fn meant(&self, session: &Session, node: &Node, ask: &Ask, why: &str) -> Option<String> {
        let dataset = dataset_of(ask);
        if why.contains("there is no dataset ") {
            let accepted = self.store.read().await.ok()?.accepted().await.ok()?;
            let wanted = revision::wanted(accepted.as_ref());
            let wanted = wanted.iter().filter(|one| one.name.as_str() == node.name);
            let wanted = wanted.flat_map(|one| one.datasets.iter().map(|dataset| dataset.name.clone()));
            let schedule = ledger::facts_of(node).ok()?.and_then(|facts| facts.schedule);
            let stands = schedule.into_iter().flat_map(|schedule| schedule.stands);
            let names: Vec<String> = wanted.chain(stands.map(|stand| stand.dataset)).collect();
            return nearest(dataset, names.iter().map(String::as_str)).map(short);
        }
        let wrong = why.split_once("there is no snapshot ")?.1;
        let list = v1::ListSnapshots {
            dataset: dataset.to_owned(),
            ..v1::ListSnapshots::default()
        };
        let rows = answered(session, Ask::List(list)).await.ok()?.rows;
        let names: Vec<String> = rows.iter().map(|row| format!("{}@{}", row.dataset, row.name)).collect();
        // Somebody types the start of a name; the newest such snapshot is meant.
        let begins = names.iter().rfind(|name| name.starts_with(wrong)).map(String::as_str);
        begins
            .or_else(|| nearest(wrong, names.iter().map(String::as_str)))
            .map(short)
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

/// The node's answer to one request; else the outcome in the audit log's words, and why.
async fn answered(session: &Session, ask: Ask) -> Result<v1::SnapshotAnswer, (&'static str, String)> {
    let patience = match ask {
        Ask::List(_) => LIST,
        _ => ANSWER,
    };
    let answer = session.ask(v1::SnapshotAsk { ask: Some(ask) }, patience).await;
    answer.map_err(|why| match why {
        NoAnswer::Refused(why) => ("refused", why),
        why => ("not known", why.to_string()),
    })
}

/// ZFS's refusal in this product's words: ZFS calls a snapshot a dataset, and does not name what is wrong.
fn plain(ask: &Ask, why: String) -> String {
    let says = |words: &str| why.contains(words);
    match ask {
        Ask::Create(one) if says("dataset already exists") => {
            format!("{}@{} exists already; choose another --name", one.dataset, one.name)
        }
        Ask::Hold(one) | Ask::Release(one) if says("dataset does not exist") => {
            format!("there is no snapshot {}", one.snapshot)
        }
        Ask::Hold(one) if says("tag already exists") => {
            format!(
                "{} is held with the tag {} already; choose another --tag",
                one.snapshot, one.tag
            )
        }
        Ask::Release(one) if says("no such tag") => format!("{} has no hold with the tag {}", one.snapshot, one.tag),
        Ask::Diff(_) if says("Not an earlier snapshot") => {
            "the second snapshot must be newer than the first; swap them".to_owned()
        }
        Ask::Diff(one) if says("No such file or directory") || says("does not exist") => match one.to.is_empty() {
            true => format!("there is no snapshot {}", one.from),
            false => format!("{} or {} does not exist", one.from, one.to),
        },
        _ => why,
    }
}

/// The error for a refusal: a wrong name and wrong usage are no refusals.
fn refusal(why: String, node: &str, ask: &Ask, near: Option<String>) -> AppError {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let meant = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
    let see = match ask {
        Ask::List(_) | Ask::Create(_) if !says(&["exists already"]) => {
            format!("{meant}See: heeler snapshot list {node}")
        }
        _ => format!(
            "{meant}See: heeler snapshot list {node} --dataset {}",
            word(dataset_of(ask))
        ),
    };
    if says(&[
        "does not exist",
        "there is no dataset",
        "there is no snapshot",
        "has no hold with",
    ]) {
        AppError::NotFound(format!("{why}\n{see}"))
    } else if says(&["exists already", "is held with the tag"]) {
        AppError::Taken(format!("{why}\n{see}"))
    } else if says(&[
        "write it as DATASET@NAME",
        "at most 100",
        "is of another dataset than",
        "must be newer than the first",
    ]) {
        AppError::Invalid(why)
    } else {
        AppError::Refused(why)
    }
}

/// A request that changes something, in the words of the audit log and of events.
struct Act {
    /// The request: "asked to hold".
    asked: &'static str,
    /// The audit log's action when done: "snapshot held".
    done: &'static str,
    /// The event's verb when done: "held".
    did: &'static str,
    /// The object: "data/vm@x with the tag keep".
    what: String,
}

impl Act {
    /// None for a request that changes nothing.
    fn of(ask: &Ask) -> Option<Self> {
        let (asked, done, did, what) = match ask {
            Ask::List(_) | Ask::Diff(_) => return None,
            Ask::Create(one) => {
                let what = match one.name.as_str() {
                    "" => format!("a snapshot of {}", one.dataset),
                    name => format!("the snapshot {}@{name}", one.dataset),
                };
                ("asked to take", "snapshot created", "took", what)
            }
            Ask::Hold(one) => {
                let what = format!("{} with the tag {}", one.snapshot, one.tag);
                ("asked to hold", "snapshot held", "held", what)
            }
            Ask::Release(one) => {
                let what = format!("the hold {} on {}", one.tag, one.snapshot);
                ("asked to release", "snapshot released", "released", what)
            }
        };
        Some(Self { asked, done, did, what })
    }

    /// The outcome: action and detail for the audit log, and an event's text, which follows the operator's name.
    fn outcome(self, answer: Result<&v1::SnapshotAnswer, (&str, &str)>) -> (String, String, String) {
        let Self { asked, done, did, what } = self;
        match answer {
            Ok(answer) => {
                let what = match answer.created.as_str() {
                    "" => what,
                    created => format!("the snapshot {created}"),
                };
                let text = format!("{did} {what}");
                (done.to_owned(), what, text)
            }
            Err((outcome, why)) => (
                format!("{asked}: {outcome}"),
                format!("{what}: {why}"),
                match outcome {
                    "refused" => format!("{asked} {what}; refused: {why}"),
                    _ => format!("{asked} {what}; it is {outcome} whether that was done: {why}"),
                },
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(snapshot: &str) -> v1::HoldSnapshot {
        v1::HoldSnapshot {
            snapshot: snapshot.into(),
            tag: "keep".into(),
            consent: None,
        }
    }

    fn error(ask: &Ask, why: &str) -> AppError {
        refusal(format!("pi5l: {}", plain(ask, why.to_owned())), "pi5l", ask, None)
    }

    #[test]
    fn a_refusal_of_zfs_names_the_snapshot() {
        let held = hold("data/my vm@x");
        let diff = Ask::Diff(v1::DiffSnapshots {
            from: "data/my vm@x".into(),
            to: "data/my vm@w".into(),
        });
        let create = Ask::Create(v1::CreateSnapshot {
            dataset: "data/my vm".into(),
            name: "x".into(),
        });
        let see = "\nSee: heeler snapshot list pi5l --dataset 'data/my vm'";
        let said = |ask: &Ask, why: &str| error(ask, why).to_string();
        let gone = "cannot hold snapshot 'data/my vm@x': dataset does not exist";
        assert_eq!(
            said(&Ask::Hold(held.clone()), gone),
            format!("pi5l: there is no snapshot data/my vm@x{see}")
        );
        let twice = "cannot hold snapshot 'data/my vm@x': tag already exists on this dataset";
        assert_eq!(
            said(&Ask::Hold(held.clone()), twice),
            format!("pi5l: data/my vm@x is held with the tag keep already; choose another --tag{see}")
        );
        let untagged = "cannot release hold from snapshot 'data/my vm@x': no such tag on this dataset";
        assert_eq!(
            said(&Ask::Release(held), untagged),
            format!("pi5l: data/my vm@x has no hold with the tag keep{see}")
        );
        let taken = "cannot create snapshot 'data/my vm@x': dataset already exists\nno snapshots were created";
        assert_eq!(
            said(&create, taken),
            format!("pi5l: data/my vm@x exists already; choose another --name{see}")
        );
        let older = "Unable to obtain diffs: \n   Not an earlier snapshot from the same fs";
        assert_eq!(
            said(&diff, older),
            "pi5l: the second snapshot must be newer than the first; swap them"
        );
    }

    #[test]
    fn a_wrong_name_is_no_refusal() {
        let on = Ask::Hold(hold("data/vm@x"));
        for gone in [
            "cannot hold snapshot 'data/vm@x': dataset does not exist",
            "there is no dataset data/vm",
        ] {
            assert!(matches!(error(&on, gone), AppError::NotFound(_)), "{gone}");
        }
        let wrong = error(&on, "\"x\" is not a snapshot: write it as DATASET@NAME");
        assert!(matches!(wrong, AppError::Invalid(_)));
        assert!(matches!(error(&on, "out of space"), AppError::Refused(_)));
    }
}
