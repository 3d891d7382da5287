use std::io;
use std::path::Path;
use std::time::Duration;

use heeler_host::System;
use heeler_proto::{Irreversible, NodeName};

use super::apply::{ApplyError, apply, no_reboot};
use super::class::in_full;
use super::look::{look, settled};
use super::prove_blank::prove_blank;
use super::{AnyStep, Blocked, Event, GuardAction, Intent, Op, Outcome, Plan, Record, StepEnd};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const UNTRIED: &str = "the node was restarted to try the new configuration, and came back with the old one, which is \
                       unchanged: it does not start with the new one, or lost power meanwhile. What it tried is \
                       /boot/firmware/tryboot.txt. To try it again: heeler apply";

#[derive(Debug)]
pub(super) enum Stop {
    /// A person must decide or fix something.
    Blocked(Blocked),
    Failed(String),
}

impl Stop {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Blocked(blocked) => format!("{}: {}", blocked.found, blocked.why),
            Self::Failed(reason) => reason.clone(),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!(
            "could not write the journal, and did nothing after that: {error}"
        ))
    }
}

/// Makes the state of every step hold, in order, and stops at the first one that is blocked or fails. Returns the
/// outcome and the number of ops applied.
///
/// No op is applied after a step has stopped. When a step reboots the machine this does not return; the next call
/// continues.
pub async fn carry_out(
    host: &dyn System,
    node: &NodeName,
    steps: &[Box<dyn AnyStep>],
    record: &mut dyn Record,
) -> (Outcome, u32) {
    let mut hand = Hand {
        host,
        node,
        record,
        changes: 0,
    };
    for step in steps {
        if let Err(stop) = hand.step(step.as_ref()).await {
            return (hand.stopped(step.name(), stop).await, hand.changes);
        }
    }
    (Outcome::Done, hand.changes)
}

/// The only code that changes the machine.
pub(super) struct Hand<'a> {
    pub(super) host: &'a dyn System,
    node: &'a NodeName,
    pub(super) record: &'a mut dyn Record,
    changes: u32,
}

impl Hand<'_> {
    async fn step(&mut self, step: &dyn AnyStep) -> Result<(), Stop> {
        let name = step.name();
        self.record.emit(Event::StepStarted { step: name.to_owned() }).await?;
        self.earlier_job(name).await?;
        let (end, reason, changed) = match look(self.host, step).await? {
            Plan::Satisfied => (StepEnd::Satisfied, String::new(), false),
            Plan::Told(text) => (StepEnd::Satisfied, text, false),
            Plan::NotApplicable(why) => (StepEnd::NotApplicable, why, false),
            Plan::Blocked(blocked) => return Err(Stop::Blocked(blocked)),
            Plan::After(other) => {
                let reason = format!("{name} cannot be known before {other}, which comes before it: a fault of Heeler");
                return Err(Stop::Failed(reason));
            }
            Plan::Retry { why, .. } => return Err(Stop::Failed(why)),
            Plan::Change { ops, settle } => {
                self.change(step, &ops, settle).await?;
                (StepEnd::Satisfied, String::new(), true)
            }
        };
        self.rebooted(name, None).await?;
        self.drop_job(name).await?;
        self.finished(name, end, reason, changed).await?;
        Ok(())
    }

    async fn change(&mut self, step: &dyn AnyStep, ops: &[Op], settle: Duration) -> Result<(), Stop> {
        let name = step.name();
        let irreversible = ops.iter().filter(|op| op.act().is_some()).count();
        let reboot = ops.iter().position(|op| matches!(op.plain(), Op::Reboot { .. }));
        if irreversible > 1 || reboot.is_some_and(|place| place + 1 != ops.len()) {
            return Err(Stop::Failed(format!(
                "{name} plans operations that must not run together: a fault of Heeler"
            )));
        }
        if reboot.is_some() && self.rebooted(name, Some("after the reboot it is still needed")).await? {
            let tried = ops
                .iter()
                .any(|op| matches!(op.plain(), Op::Reboot { trial: true, .. }));
            return Err(Stop::Failed(match tried {
                true => UNTRIED.to_owned(),
                false => format!("the node was rebooted for {name}, and the step is still not done"),
            }));
        }
        for (index, op) in ops.iter().enumerate() {
            if let Err(error) = self.op(name, index, op).await? {
                let ended = self.after_error(step, op, &error).await;
                let armed = |op: &Op| matches!(op.plain(), Op::Guard(GuardAction::Arm(_)));
                // A failed change is undone at once, because nobody can confirm it.
                let guarded = ops[..index].iter().any(armed) && !matches!(op.plain(), Op::Guard(_));
                return match ended {
                    Err(stop) if guarded => Err(self.undo_network(name, ops.len(), stop).await?),
                    ended => ended,
                };
            }
        }
        settled(self.host, step, settle).await
    }

    /// The inner result is the op's; the outer one is an error when no further op may be applied.
    async fn op(&mut self, step: &str, index: usize, op: &Op) -> Result<Result<(), ApplyError>, Stop> {
        let op = op.plain();
        let (act, reboot) = (op.act(), matches!(op, Op::Reboot { .. }));
        let job = match op {
            Op::Job(command) => Some(command),
            Op::Irreversible { op, .. } => match op.as_ref() {
                Op::Job(command) => Some(command),
                _ => None,
            },
            _ => None,
        };
        if let Some(act) = act {
            self.permitted(op, act).await?;
        }
        if let Op::Irreversible { act, op: make } = op
            && let Irreversible::CreatePool(create) = act
        {
            prove_blank(self.host, self.record, step, (create, make)).await?;
            // Reading took minutes, so the consent may have expired or been revoked.
            self.permitted(op, act).await?;
        }
        let boot_id = if reboot { Some(self.boot_id().await?) } else { None };
        let intent = Intent {
            step: step.to_owned(),
            op: index,
            summary: op.summary(),
            act: act.cloned(),
            reboot,
            boot_id,
            job: job.map(|_| self.unit_of(step)),
        };
        let (intent, begun) = self.begun_job(intent).await?;
        self.record.begin(&intent).await?;
        let started = Event::OpStarted {
            step: step.to_owned(),
            summary: op.summary(),
            irreversible: act.is_some(),
            reboot,
        };
        self.record.emit(started).await?;
        let waits = matches!(op, Op::Guard(GuardAction::Confirm));
        if waits {
            self.record.awaits_confirmation(true);
        }
        let result = match (job, &intent.job) {
            (Some(command), Some(unit)) => self.job(step, unit, command, begun).await?,
            _ => apply(self.host, op).await,
        };
        if waits {
            self.record.awaits_confirmation(false);
        }
        let error = result.as_ref().err().map(|error| in_full(error));
        // An irreversible op with an unknown end stays begun, so that the next look recognises what it left as its
        // own. A reboot stays begun until the next boot.
        let unseen = act.is_some() && result.as_ref().is_err_and(ApplyError::end_unknown);
        let awaited = reboot && result.is_ok();
        if !(unseen || awaited) {
            self.record.end(&intent, error.as_deref()).await?;
        }
        self.forget_job(&intent).await;
        self.changes += u32::from(result.is_ok());
        let finished = Event::OpFinished {
            step: step.to_owned(),
            summary: op.summary(),
            error,
        };
        self.record.emit(finished).await?;
        if awaited {
            return self.wait_for_reboot(&intent).await;
        }
        Ok(result)
    }

    /// A failed op may have reached its goal all the same, so the state of the machine decides.
    async fn after_error(&self, step: &dyn AnyStep, op: &Op, error: &ApplyError) -> Result<(), Stop> {
        let reason = format!("could not {}: {}", op.summary(), in_full(error));
        match look(self.host, step).await {
            Ok(Plan::Satisfied) => Ok(()),
            Ok(Plan::Blocked(blocked)) => Err(Stop::Blocked(Blocked {
                found: format!("{reason}; after it: {}", blocked.found),
                ..blocked
            })),
            _ => Err(match error {
                ApplyError::Job { printed, .. } => step.explain(printed).map_or(Stop::Failed(reason), Stop::Blocked),
                _ => Stop::Failed(reason),
            }),
        }
    }

    /// Undoes a partial network change at once, instead of waiting for the guard's timer.
    async fn undo_network(&mut self, step: &str, index: usize, stop: Stop) -> Result<Stop, Stop> {
        let undo = Op::Guard(GuardAction::Undo);
        let then = match self.op(step, index, &undo).await? {
            Ok(()) => "the change was undone at once".to_owned(),
            Err(stays @ ApplyError::Stays) => stays.to_string(),
            Err(error) => format!(
                "the guard undoes the change within 90 s; it could not be undone at once: {}",
                in_full(&error)
            ),
        };
        Ok(match stop {
            Stop::Failed(reason) => Stop::Failed(format!("{reason}; {then}")),
            Stop::Blocked(blocked) => Stop::Blocked(Blocked {
                found: format!("{}; {then}", blocked.found),
                ..blocked
            }),
        })
    }

    async fn permitted(&mut self, op: &Op, act: &Irreversible) -> Result<(), Stop> {
        let permit = self.record.permit(act).await;
        permit.map_err(|no| self.unpermitted(op, &no.reason))
    }

    fn unpermitted(&self, op: &Op, reason: &str) -> Stop {
        let why = format!(
            "\"{}\" cannot be undone, and needs an operator's consent to exactly this change",
            op.summary()
        );
        Stop::Blocked(Blocked::new(reason, why, format!("heeler apply {}", self.node)))
    }

    async fn boot_id(&self) -> Result<String, Stop> {
        let read = self.host.read(Path::new(BOOT_ID)).await;
        let bytes = read.map_err(|error| Stop::Failed(format!("could not read {BOOT_ID}: {error}")))?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    async fn wait_for_reboot(&mut self, intent: &Intent) -> Result<Result<(), ApplyError>, Stop> {
        let error = no_reboot(self.host).await;
        self.record.end(intent, Some(&error.to_string())).await?;
        Ok(Err(error))
    }

    /// Ends the intent of a reboot of `step`, when it happened; returns whether it did.
    async fn rebooted(&mut self, step: &str, error: Option<&str>) -> Result<bool, Stop> {
        let Some(intent) = self
            .record
            .pending()
            .filter(|intent| intent.reboot && intent.step == step)
        else {
            return Ok(false);
        };
        let happened = intent.boot_id != Some(self.boot_id().await?);
        if happened || error.is_none() {
            self.record.end(&intent, error).await?;
        }
        Ok(happened)
    }

    async fn finished(&mut self, step: &str, outcome: StepEnd, reason: String, changed: bool) -> io::Result<()> {
        let event = Event::StepFinished {
            step: step.to_owned(),
            outcome,
            reason,
            changed,
        };
        self.record.emit(event).await
    }

    async fn stopped(&mut self, step: &str, stop: Stop) -> Outcome {
        let end = match &stop {
            Stop::Blocked(_) => StepEnd::Blocked,
            Stop::Failed(_) => StepEnd::Failed,
        };
        let stop = match self.finished(step, end, stop.reason(), false).await {
            Ok(()) => stop,
            Err(error) => Stop::from(error),
        };
        let step = step.to_owned();
        match stop {
            Stop::Blocked(reason) => Outcome::Blocked { step, reason },
            Stop::Failed(reason) => Outcome::Failed { step, reason },
        }
    }
}
