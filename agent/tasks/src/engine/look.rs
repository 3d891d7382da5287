use std::time::Duration;

use heeler_host::{RunError, System};

use super::carry_out::Stop;
use super::class::{Class, in_full};
use super::{AnyStep, Op, Plan, kernel_ready};

const ERROR_LOOKS: u32 = 3;
const ERROR_PAUSE: Duration = Duration::from_secs(2);
const RETRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Observes and plans a step. A reboot that is refused blocks it before anything is changed; one that tries files which
/// are not written yet is judged when it is due.
pub(super) async fn seen(host: &dyn System, step: &dyn AnyStep) -> Result<Plan, RunError> {
    let plan = step.look(host).await?;
    let reboots = |op: &Op| matches!(op.plain(), Op::Reboot { trial: false, .. });
    match &plan {
        Plan::Change { ops, .. } if ops.iter().any(reboots) => {
            let refusal = kernel_ready::refusal(host, false).await?;
            Ok(refusal.map_or(plan, Plan::Blocked))
        }
        _ => Ok(plan),
    }
}

/// Observes and plans a step; repeats it after an error that may be temporary and when the plan is `Retry`.
pub(super) async fn look(host: &dyn System, step: &dyn AnyStep) -> Result<Plan, Stop> {
    let (mut errors, mut retries) = (0, 0);
    loop {
        match seen(host, step).await {
            Ok(Plan::Retry { after, .. }) if retries < RETRIES => {
                retries += 1;
                host.sleep(after.clamp(FIRST_PAUSE, Duration::from_secs(60))).await;
            }
            Ok(plan) => return Ok(plan),
            Err(error) if Class::of(&error) == Class::Retry && errors < ERROR_LOOKS => {
                errors += 1;
                host.sleep(ERROR_PAUSE).await;
            }
            Err(error) => return Err(unseen(&error)),
        }
    }
}

/// Observes until the state of the step holds, at most for `settle`.
pub(super) async fn settled(host: &dyn System, step: &dyn AnyStep, settle: Duration) -> Result<(), Stop> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        let seen = step.look(host).await;
        if matches!(seen, Ok(Plan::Satisfied | Plan::Told(_) | Plan::NotApplicable(_))) {
            return Ok(());
        }
        if waited >= settle {
            return Err(unsettled(step, seen.map_err(|error| unseen(&error))?, settle));
        }
        host.sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn unsettled(step: &dyn AnyStep, plan: Plan, settle: Duration) -> Stop {
    let name = step.name();
    let seen = match plan {
        Plan::Blocked(blocked) => return Stop::Blocked(blocked),
        Plan::Change { ops, .. } => ops.iter().map(Op::summary).collect::<Vec<_>>().join("; "),
        Plan::Retry { why, .. } => why,
        Plan::After(other) => format!("{other} must be done first"),
        Plan::Satisfied | Plan::Told(_) | Plan::NotApplicable(_) => String::new(),
    };
    let seconds = settle.as_secs();
    Stop::Failed(format!(
        "{name} is not done {seconds} s after its changes; still missing: {seen}"
    ))
}

fn unseen(error: &RunError) -> Stop {
    Stop::Failed(format!("{}; {}", in_full(error), Class::of(error).advice()))
}
