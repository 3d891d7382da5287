use std::future;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use heeler_proto::{Irreversible, NodeName, TaskId};
use heeler_tasks::engine::{Event, Intent, NoConsent, Record};
use tokio::sync::watch;

use super::permission::{Permission, permission};
use super::{Entry, Journal, NumberedEvent, Used};
use crate::assignment::Assignment;
use crate::clock::Clock;
use crate::trusted::Trusted;

/// Stops the worker between two ops.
#[derive(Debug, Default)]
pub struct Stop {
    asked: watch::Sender<bool>,
    in_op: watch::Sender<bool>,
}

impl Stop {
    /// Lets no further op begin; returns when no op is being applied.
    pub async fn ask(&self) {
        self.asked.send_replace(true);
        // Cannot fail: `self` keeps the sender.
        let _ = self.in_op.subscribe().wait_for(|in_op| !in_op).await;
    }

    async fn begin(&self) {
        if *self.asked.borrow() {
            future::pending::<()>().await;
        }
        self.in_op.send_replace(true);
    }

    fn end(&self) {
        self.in_op.send_replace(false);
    }
}

/// The journal as the engine uses it for one task.
pub struct TaskRecord {
    pub journal: Arc<Journal>,
    pub assignment: Assignment,
    pub node: NodeName,
    /// The operators that may consent.
    pub trusted: Arc<Trusted>,
    /// The later of the machine's clock and the coordinator's last time.
    pub clock: Clock,
    /// Stops the worker between two ops.
    pub stop: Arc<Stop>,
    /// The latest progress, for the session.
    pub progress: watch::Sender<Option<NumberedEvent>>,
    /// Whether a network change waits for confirmation.
    pub network: watch::Sender<bool>,
}

impl TaskRecord {
    fn id(&self) -> TaskId {
        self.assignment.task_id.clone()
    }
}

#[async_trait]
impl Record for TaskRecord {
    async fn permit(&mut self, act: &Irreversible) -> Result<(), NoConsent> {
        let used = {
            let state = self.journal.state();
            let operators = self.trusted.operators();
            let who = (&self.node, operators.as_ref());
            match permission(&state, &self.assignment, act, who, self.clock.now_ms())? {
                Permission::Again => return Ok(()),
                Permission::By(consent) => Used {
                    consent: consent.id.clone(),
                    task: self.id(),
                    act: consent.act,
                    expires_at_ms: consent.expires_at_ms,
                    spent: false,
                },
            }
        };
        self.journal.append(Entry::Used(used)).await.map_err(|error| NoConsent {
            reason: format!("the consent could not be marked as used, so it was not: {error}"),
        })
    }

    async fn begin(&mut self, intent: &Intent) -> io::Result<()> {
        self.stop.begin().await;
        let begun = Entry::Begun {
            task: self.id(),
            intent: intent.clone(),
        };
        let written = self.journal.append(begun).await;
        if written.is_err() {
            self.stop.end();
        }
        Ok(written?)
    }

    async fn end(&mut self, intent: &Intent, error: Option<&str>) -> io::Result<()> {
        let ended = Entry::Ended {
            task: self.id(),
            intent: intent.clone(),
            error: error.map(str::to_owned),
        };
        let written = self.journal.append(ended).await;
        self.stop.end();
        Ok(written?)
    }

    fn interrupted(&self) -> Vec<Irreversible> {
        self.journal.state().interrupted_before(&self.assignment.task_id)
    }

    fn task(&self) -> String {
        self.assignment.task_id.to_string()
    }

    fn pending(&self) -> Option<Intent> {
        let state = self.journal.state();
        let mut mine = state
            .begun
            .iter()
            .rev()
            .filter(|(task, _)| *task == self.assignment.task_id);
        let last = mine.find(|(_, intent)| intent.reboot || intent.job.is_some());
        last.map(|(_, intent)| intent.clone())
    }

    fn awaits_confirmation(&mut self, is: bool) {
        self.network.send_replace(is);
    }

    async fn emit(&mut self, event: Event) -> io::Result<()> {
        if matches!(event, Event::Progress { .. }) {
            self.progress.send_replace(Some(NumberedEvent {
                seq: 0,
                at_ms: self.clock.now_ms(),
                task: Some(self.id()),
                event,
            }));
            return Ok(());
        }
        // An op with an unknown end is not ended in the journal, but it is over.
        if matches!(event, Event::OpFinished { .. }) {
            self.stop.end();
        }
        Ok(self.journal.tell(Some(&self.id()), event).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[test]
    fn a_stop_waits_for_the_running_op() {
        let stop = Stop::default();
        assert!(!is_pending(pin!(stop.begin())));
        let mut asked = pin!(stop.ask());
        assert!(is_pending(asked.as_mut()));
        stop.end();
        assert!(!is_pending(asked.as_mut()));
    }

    #[test]
    fn no_op_begins_after_a_stop() {
        let stop = Stop::default();
        assert!(!is_pending(pin!(stop.ask())));
        assert!(is_pending(pin!(stop.begin())));
    }
}
