use std::time::Duration;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, EventKind, Refusal, snapshot_ask::Ask};
use heeler_store::Node;
use prost::Message as _;

use super::{App, AppError, Result, Who, ledger, node_name, nodes, revision, words};
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
    /// log before the node gets the request, and again with its outcome. Fails when the node is not known or not
    /// connected, does not answer in time, or refuses.
    pub async fn snapshots(&self, request: v1::SnapshotsRequest, who: &Who) -> Result<v1::SnapshotAnswer> {
        let node = nodes::known(&mut self.store.read().await?, &request.node).await?;
        let name = &node.name;
        if node.state.is_shut_out() {
            let state = words::node_state(node.state).word();
            return Err(AppError::Refused(format!("{name} is {state}: it cannot connect")));
        }
        let session = self.sessions.of(&node_name(name)?).ok_or_else(|| {
            AppError::Refused(format!(
                "{name} is not connected: its snapshots continue, but cannot be listed from here"
            ))
            .told("", "On the node: zfs list -t snapshot")
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
        if let Some(act) = audited {
            let mut tx = self.store.write().await?;
            let (action, detail, text) = act.outcome(answer.as_ref());
            let short = |text: String| -> String { text.chars().take(DETAIL).collect() };
            self.audit(&mut tx, &who.name, &action, name, &short(detail)).await?;
            let event = self.event(EventKind::Snapshot, name, short(format!("{} {text}", who.name)));
            self.save_with_event(tx, event).await?;
        }
        match answer {
            Ok(answer) => Ok(answer),
            Err(why) => {
                let near = self.meant(&session, &node, &ask, &why).await;
                Err(refusal(&why, name, &ask, near))
            }
        }
    }

    /// What a person most likely meant by a name that does not exist on this node.
    async fn meant(&self, session: &Session, node: &Node, ask: &Ask, why: &NoAnswer) -> Option<String> {
        let dataset = dataset_of(ask);
        if matches!(why, NoAnswer::Refused(Refusal::NoDataset, _)) {
            let accepted = self.store.read().await.ok()?.accepted().await.ok()?;
            let wanted = revision::wanted(accepted.as_ref());
            let wanted = wanted.iter().filter(|one| one.name.as_str() == node.name);
            let wanted = wanted.flat_map(|one| one.datasets.iter().map(|dataset| dataset.name.clone()));
            let schedule = ledger::facts_of(node).ok()?.and_then(|facts| facts.schedule);
            let stands = schedule.into_iter().flat_map(|schedule| schedule.stands);
            let names: Vec<String> = wanted.chain(stands.map(|stand| stand.dataset)).collect();
            return nearest(dataset, names.iter().map(String::as_str)).map(short);
        }
        let wrong = match (why, ask) {
            (NoAnswer::Refused(Refusal::NoSnapshot, _), Ask::Hold(one) | Ask::Release(one)) => &one.snapshot,
            (NoAnswer::Refused(Refusal::NoSnapshot, _), Ask::Diff(one)) if one.to.is_empty() => &one.from,
            _ => return None,
        };
        let list = v1::ListSnapshots {
            dataset: dataset.to_owned(),
            ..v1::ListSnapshots::default()
        };
        let rows = answered(session, Ask::List(list)).await.ok()?.rows;
        let names: Vec<String> = rows.iter().map(|row| format!("{}@{}", row.dataset, row.name)).collect();
        // Somebody types the start of a name; the newest such snapshot is meant.
        let begins = names
            .iter()
            .rfind(|name| name.starts_with(wrong.as_str()))
            .map(String::as_str);
        begins
            .or_else(|| nearest(wrong, names.iter().map(String::as_str)))
            .map(short)
    }

    /// Updates the node's facts from a round of its snapshot schedule, which is newer.
    pub(super) fn see_round(node: &mut Node, run: &v1::SnapshotRun) -> Result<()> {
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
    pub(super) fn see_scrub(node: &mut Node, run: &v1::ScrubRun, at_ms: u64) -> Result<()> {
        let mut facts = ledger::facts_of(node)?.unwrap_or_default();
        let schedule = facts.schedule.get_or_insert_default();
        match run.what() {
            v1::ScrubChange::Started => schedule.scrub_percent = 1,
            v1::ScrubChange::Finished => {
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

async fn answered(session: &Session, ask: Ask) -> Result<v1::SnapshotAnswer, NoAnswer> {
    let patience = match ask {
        Ask::List(_) => LIST,
        _ => ANSWER,
    };
    session.ask(v1::SnapshotAsk { ask: Some(ask) }, patience).await
}

/// The error for a refusal: a wrong name and wrong usage are no refusals.
fn refusal(why: &NoAnswer, node: &str, ask: &Ask, near: Option<String>) -> AppError {
    let kind = match why {
        NoAnswer::Refused(kind, _) => *kind,
        NoAnswer::Lost | NoAnswer::Late(_) => Refusal::Unspecified,
    };
    let why = why.to_string();
    let meant = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
    let list = match (ask, kind) {
        (Ask::List(_) | Ask::Create(_), Refusal::NoDataset) => format!("heeler snapshot list {node}"),
        _ => format!("heeler snapshot list {node} --dataset {}", word(dataset_of(ask))),
    };
    let see = format!("{meant}See: {list}");
    match kind {
        Refusal::NoDataset | Refusal::NoSnapshot | Refusal::NoHold => AppError::NotFound(why).told(node, see),
        Refusal::Exists | Refusal::Held => AppError::Taken(why).told(node, see),
        Refusal::Invalid => AppError::Invalid(why).told(node, ""),
        Refusal::Unspecified => AppError::Refused(why).told(node, ""),
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
    fn outcome(self, answer: Result<&v1::SnapshotAnswer, &NoAnswer>) -> (String, String, String) {
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
            Err(why @ NoAnswer::Refused(..)) => (
                format!("{asked}: refused"),
                format!("{what}: {why}"),
                format!("{asked} {what}; refused: {why}"),
            ),
            Err(why) => (
                format!("{asked}: not known"),
                format!("{what}: {why}"),
                format!("{asked} {what}; it is not known whether that was done: {why}"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(ask: &Ask, kind: Refusal, why: &str) -> AppError {
        refusal(&NoAnswer::Refused(kind, why.to_owned()), "pi5l", ask, None)
    }

    #[test]
    fn a_wrong_name_is_no_refusal() {
        let hold = v1::HoldSnapshot {
            snapshot: "data/my vm@x".into(),
            tag: "keep".into(),
            consent: None,
        };
        let on = Ask::Hold(hold);
        let see = "See: heeler snapshot list pi5l --dataset 'data/my vm'";
        let said = |kind| match error(&on, kind, "there is none") {
            AppError::Told { kind, told } => {
                assert_eq!((told.node.as_str(), told.what.as_str()), ("pi5l", "there is none"));
                (*kind, told.next)
            }
            other => panic!("{other:?}"),
        };
        for kind in [Refusal::NoDataset, Refusal::NoSnapshot, Refusal::NoHold] {
            assert!(matches!(said(kind), (AppError::NotFound(_), next) if next == see));
        }
        for kind in [Refusal::Exists, Refusal::Held] {
            assert!(matches!(said(kind), (AppError::Taken(_), next) if next == see));
        }
        assert!(matches!(said(Refusal::Invalid), (AppError::Invalid(_), _)));
        assert!(matches!(said(Refusal::Unspecified), (AppError::Refused(_), _)));
    }
}
