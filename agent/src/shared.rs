use std::sync::{Arc, PoisonError};

use heeler_host::System;
use heeler_proto::v1::{Assignment as Wire, AssignmentReply};
use heeler_tasks::engine;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Mutex, Notify as Notified, watch};

use crate::assignment::{Assignment, Delivery};
use crate::clock::Clock;
use crate::config::Config;
use crate::copies::Copies;
use crate::identity::{Identity, Trust};
use crate::journal::{Entry, Journal, Stop, Told};
use crate::notify::Notify;
use crate::pulse::Pulse;
use crate::schedule::ScheduleState;
use crate::trusted::Trusted;
use crate::{hold, ledger, release};

/// What the session and the worker have in common.
pub struct Shared {
    /// What first contact told.
    pub config: Config,
    /// The machine.
    pub host: Arc<dyn System>,
    /// The later of the two clocks.
    pub clock: Clock,
    /// Who this node is.
    pub identity: Identity,
    /// Whom it trusts.
    pub trusted: Arc<Trusted>,
    /// How it judges certificates.
    pub trust: Trust,
    /// What it remembers.
    pub journal: Arc<Journal>,
    /// The last accepted assignment.
    pub accepted: Mutex<Option<Assignment>>,
    /// Stops the worker between two ops.
    pub stop: Arc<Stop>,
    /// The latest progress of the task in hand.
    pub progress: watch::Sender<Option<Told>>,
    /// Whether a change of the network waits to be confirmed, over a session that is opened after it.
    pub network: watch::Sender<bool>,
    /// Counts the changes of pools that the coordinator is to be told of.
    pub pools_changed: watch::Sender<u64>,
    /// Held by whoever has the pool in hand: a task, the schedule, or an operator's request.
    pub pool: Arc<Mutex<()>>,
    /// How the schedule stood at its last turn; None before the first.
    pub schedule: std::sync::Mutex<Option<ScheduleState>>,
    /// Another one may have been accepted.
    pub schedule_changed: Notified,
    /// Whether the session is alive.
    pub pulse: Pulse,
    /// Copies of the coordinator's state.
    pub copies: Arc<Copies>,
    /// The agent is to leave this node.
    pub leaving: tokio::sync::Notify,
    /// systemd.
    pub notify: Notify,
}

impl Shared {
    /// How the schedule stood at its last turn.
    pub fn schedule_state(&self) -> Option<ScheduleState> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uniform over all of `u64`; no secret depends on it.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // Without randomness every node waits equally long: slow, and not wrong.
        let _ = SystemRandom::new().fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// Takes an assignment in hand, or says why not. When this returns, an accepted one is on the disk.
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

    /// A person on the node may have paused it, or let it go.
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
        // The journal first: a task that only the ledger knew would be acknowledged and never done.
        if delivery == Delivery::New {
            let entry = Entry::Accepted(Box::new(assignment.clone()));
            self.journal
                .append(entry)
                .await
                .map_err(|error| engine::in_full(&error))?;
        }
        *accepted = Some(assignment.clone());
        if let Err(error) = ledger::write(self.host.as_ref(), &assignment).await {
            // The journal has it, and the next start mends the ledger from there.
            tracing::warn!("{}", engine::in_full(&error));
        }
        Ok(())
    }
}
