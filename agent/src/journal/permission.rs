use heeler_proto::{Consent, ConsentError, Irreversible, NodeName};
use heeler_tasks::engine::NoConsent;

use super::State;
use crate::assignment::Assignment;
use crate::config::Operator;

/// A creation starts with reading its disks, which may take longer than the consent is valid. Once it is begun in
/// time, it may be completed this much later.
const READING_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Debug, PartialEq, Eq)]
pub enum Permission<'a> {
    /// This task was permitted to do it, has not ended it, and the consent has not expired.
    Again,
    /// This consent permits it, and must be stored as used first.
    By(&'a Consent),
}

/// Whether `assignment` may do `act` on `node` now. `now_ms` is the later of the machine's clock and the coordinator's
/// last time. Its error: why not, as a message; of several consents the reason of the one that fits best.
pub fn permission<'a>(
    state: &State,
    assignment: &'a Assignment,
    act: &Irreversible,
    (node, operators): (&NodeName, &[Operator]),
    now_ms: u64,
) -> Result<Permission<'a>, NoConsent> {
    let task = &assignment.task_id;
    let digest = act.digest();
    let begun_ms = match act {
        // A disk that is not read may have new data by then, so such a creation gets no extra time.
        Irreversible::CreatePool(create) if create.unread.is_empty() => READING_MS,
        _ => 0,
    };
    let granted = |used: &super::Used| {
        let until_ms = used.expires_at_ms.saturating_add(begun_ms);
        used.task == *task && used.act == digest && !used.spent && now_ms < until_ms
    };
    if state.used.iter().any(granted) {
        return Ok(Permission::Again);
    }
    let mut reason = "no consent came with the task";
    for consent in &assignment.consents {
        match check(state, consent, operators, |key| {
            consent.permits((task, node), &act.digest(), now_ms, key)
        }) {
            Ok(()) => return Ok(Permission::By(consent)),
            Err(why) if consent.act == digest || assignment.consents.len() == 1 => reason = why,
            Err(_) if reason.starts_with("no consent") => {
                reason = "no consent that came with the task is for this change";
            }
            Err(_) => {}
        }
    }
    Err(NoConsent {
        reason: reason.to_owned(),
    })
}

/// Whether `consent` permits an act, given by its digest, that is not part of a task. Its error: why not, as a message.
pub fn permits_alone(
    state: &State,
    consent: &Consent,
    act: &[u8; 32],
    (node, operators): (&NodeName, &[Operator]),
    now_ms: u64,
) -> Result<(), &'static str> {
    check(state, consent, operators, |key| {
        consent.permits((&consent.task, node), act, now_ms, key)
    })
}

fn check(
    state: &State,
    consent: &Consent,
    operators: &[Operator],
    permits: impl FnOnce(&[u8]) -> Result<(), ConsentError>,
) -> Result<(), &'static str> {
    let operator = operators
        .iter()
        .find(|operator| operator.name == consent.operator)
        .ok_or("the consent is signed by an operator that this node does not know")?;
    permits(&operator.public_key).map_err(|error| match error {
        ConsentError::OtherTask => "the consent is for another task",
        ConsentError::OtherNode => "the consent is for another node",
        ConsentError::OtherAct => {
            "the consent is for a different change from the one that would happen now: the machine has changed since it was given"
        }
        ConsentError::Expired => "the consent has expired: it is valid for an hour",
        ConsentError::Future => {
            "the consent was given more than an hour from now: this node's clock is behind, or the operator's is ahead"
        }
        ConsentError::Signature => "the consent is not signed with the key that this node knows for its operator",
    })?;
    if state.used.iter().any(|used| used.consent == consent.id) {
        return Err("the consent was used before: each is valid once");
    }
    if consent.expires_at_ms <= state.forgotten_ms {
        return Err(
            "the consent may have been used before: later ones were, and this node's clock has gone back since",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
