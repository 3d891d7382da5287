use std::sync::{Arc, PoisonError};

use heeler_host::{Notify, System};
use heeler_proto::v1::{Assignment as Wire, AssignmentReply};
use heeler_tasks::engine;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Mutex, Notify as Notified, watch};

use crate::assignment::{Assignment, Delivery};
use crate::clock::Clock;
use crate::config::Config;
use crate::copies::Copies;
use crate::identity::{Identity, Trust};
use crate::journal::{Entry, Journal, NumberedEvent, Stop};
use crate::pulse::Pulse;
use crate::schedule::ScheduleState;
use crate::trusted::Trusted;
use crate::{hold, ledger, release};

/// The state that session, worker and schedule share.
pub struct Shared {
    /// The configuration from first contact.
    pub config: Config,
    pub host: Arc<dyn System>,
    /// The later of the machine's clock and the coordinator's last time.
    pub clock: Clock,
    /// The node's key and certificate.
    pub identity: Identity,
    pub trusted: Arc<Trusted>,
    /// The trusted authorities and the clock, for TLS.
    pub trust: Trust,
    pub journal: Arc<Journal>,
    /// The last accepted assignment.
    pub accepted: Mutex<Option<Assignment>>,
    /// Stops the worker between two ops.
    pub stop: Arc<Stop>,
    /// The latest progress of the running task.
    pub progress: watch::Sender<Option<NumberedEvent>>,
    /// Whether a network change waits for confirmation, over a session that is opened after it.
    pub network: watch::Sender<bool>,
    /// Counts the changes of pools that the coordinator should know.
    pub pools_changed: watch::Sender<u64>,
    /// Locked by a task, the schedule or a request that uses the pool.
    pub pool: Arc<Mutex<()>>,
    /// The schedule's state after its last turn; None before the first.
    pub schedule: std::sync::Mutex<Option<ScheduleState>>,
    /// Notified when another schedule may have been accepted.
    pub schedule_changed: Notified,
    /// Whether the session makes progress.
    pub pulse: Pulse,
    /// Receives copies of the coordinator's state.
    pub copies: Arc<Copies>,
    /// Notified when the agent is released from this node.
    pub leaving: Arc<Notified>,
    pub notify: Notify,
}

impl Shared {
    /// The schedule's state after its last turn; None before the first.
    pub fn schedule_state(&self) -> Option<ScheduleState> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uniform over all of `u64`; not for secrets.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // Without randomness all nodes wait equally long, which is slow but correct.
        let _ = SystemRandom::new().fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// Accepts an assignment, or says why not. An accepted one is on disk when this returns.
    pub async fn accept(&self, wire: Wire) -> AssignmentReply {
        let mut reply = AssignmentReply {
            task_id: wire.task_id.clone(),
            generation: wire.generation,
            accepted: true,
            reason: String::new(),
        };
        if let Err(reason) = self.take(wire).await {
            tracing::warn!(task = reply.task_id, reason, "assignment refused");
            reply.accepted = false;
            reply.reason = reason;
        }
        reply
    }

    /// Whether a person on the node paused it, or a release was begun.
    async fn held(&self) -> Result<(), String> {
        let host = self.host.as_ref();
        if release::is_begun(host).await {
            return Err("the agent is leaving this node".to_owned());
        }
        match hold::read(host, self.clock.now_ms()).await {
            Ok(None) => Ok(()),
            Ok(Some(hold)) => Err(hold.refusal()),
            Err(error) => Err(format!("could not read {}: {error}", hold::PATH)),
        }
    }

    async fn take(&self, wire: Wire) -> Result<(), String> {
        let assignment = Assignment::try_from(wire).map_err(|invalid| invalid.to_string())?;
        let mut accepted = self.accepted.lock().await;
        let in_hand = self.journal.state().in_hand.as_ref().map(|known| known.task_id.clone());
        let delivery = assignment
            .delivery(accepted.as_ref(), in_hand.as_ref())
            .map_err(|refusal| refusal.to_string())?;
        if delivery == Delivery::New {
            self.held().await?;
        }
        // The journal is written first: a task that only the ledger knew would be acknowledged and never run.
        if delivery == Delivery::New {
            let entry = Entry::Accepted(Box::new(assignment.clone()));
            self.journal
                .append(entry)
                .await
                .map_err(|error| engine::in_full(&error))?;
        }
        *accepted = Some(assignment.clone());
        if let Err(error) = ledger::write(self.host.as_ref(), &assignment).await {
            // The journal has it; the next start writes it to the ledger.
            tracing::warn!("{}", engine::in_full(&error));
        }
        Ok(())
    }
}
