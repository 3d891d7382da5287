use heeler_proto::{Consent, Generation, Invalid, Task, TaskId, v1};
use serde::{Deserialize, Serialize};

/// A task that the coordinator assigned to this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The task's id; another assignment may repeat it with a higher generation.
    pub task_id: TaskId,
    /// Its place in the order of this node's assignments.
    pub generation: Generation,
    pub task: Task,
    /// Consents for the task, sorted by id; not verified yet.
    pub consents: Vec<Consent>,
    /// The revision of heeler.toml that the task comes from.
    pub revision: u64,
}

/// A task needs one consent for each change that cannot be undone.
const MOST_CONSENTS: usize = 64;

/// A coordinator counts from 1. A higher number would leave no room for a newer assignment and shut the node out.
const MOST_COUNTED: u64 = 1 << 53;

fn generation(wire: Option<v1::Generation>) -> Result<Generation, Invalid> {
    let generation: Generation = wire.ok_or_else(|| Invalid::missing("assignment.generation"))?.into();
    match generation.epoch.max(generation.counter) {
        ..=MOST_COUNTED => Ok(generation),
        counted => Err(Invalid::new("assignment.generation", format!("{counted} is too large"))),
    }
}

impl TryFrom<v1::Assignment> for Assignment {
    type Error = Invalid;
    fn try_from(wire: v1::Assignment) -> Result<Self, Invalid> {
        if wire.consents.len() > MOST_CONSENTS {
            return Err(Invalid::new(
                "assignment.consents",
                format!("{} are more than {MOST_CONSENTS}", wire.consents.len()),
            ));
        }
        let mut consents: Vec<Consent> = wire
            .consents
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        consents.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self {
            generation: generation(wire.generation)?,
            task_id: TaskId::new(&wire.task_id)?,
            task: wire
                .task
                .ok_or_else(|| Invalid::missing("assignment.task"))?
                .try_into()?,
            consents,
            revision: wire.revision,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Accept it and start the task.
    New,
    /// Only acknowledge it: it was accepted before.
    Again,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("generation {}.{} is older than {}.{}, which this node accepted", .given.epoch, .given.counter, .accepted.epoch, .accepted.counter)]
    Older {
        given: Generation,
        /// The generation that was accepted last.
        accepted: Generation,
    },
    #[error("generation {}.{} was accepted with other content", .0.epoch, .0.counter)]
    Changed(Generation),
    #[error("task {0} was accepted with other content")]
    TaskChanged(TaskId),
    #[error("task {0} is running: one at a time")]
    Busy(TaskId),
}

impl Assignment {
    /// What to do with this assignment. `last` is the one that was accepted last, `in_hand` the task that has not
    /// ended. An assignment may arrive several times, but its task runs once. Its error: why it is refused.
    pub fn delivery(&self, last: Option<&Self>, in_hand: Option<&TaskId>) -> Result<Delivery, Refusal> {
        let Some(last) = last else {
            return Ok(Delivery::New);
        };
        if self.generation < last.generation {
            return Err(Refusal::Older {
                given: self.generation,
                accepted: last.generation,
            });
        }
        if self.generation == last.generation && self != last {
            return Err(Refusal::Changed(self.generation));
        }
        if self.task_id == last.task_id {
            let same = Self {
                generation: last.generation,
                ..self.clone()
            };
            return if same == *last {
                Ok(Delivery::Again)
            } else {
                Err(Refusal::TaskChanged(self.task_id.clone()))
            };
        }
        in_hand.map_or(Ok(Delivery::New), |task| Err(Refusal::Busy(task.clone())))
    }
}

#[cfg(test)]
mod tests {
    use heeler_proto::{EraseDisk, Serial};

    use super::*;

    fn given(epoch: u64, counter: u64, task: u128, serial: &str) -> Assignment {
        Assignment {
            task_id: TaskId::from_random(task),
            generation: Generation { epoch, counter },
            task: Task::EraseDisk(EraseDisk {
                serial: Serial::new(serial).unwrap(),
                live: vec![],
            }),
            consents: vec![],
            revision: 1,
        }
    }

    #[test]
    fn the_first_assignment_is_new_and_its_repetition_is_not() {
        let first = given(1, 1, 1, "A");
        assert_eq!(first.delivery(None, None), Ok(Delivery::New));
        assert_eq!(first.delivery(Some(&first), Some(&first.task_id)), Ok(Delivery::Again));
        assert_eq!(first.delivery(Some(&first), None), Ok(Delivery::Again));
    }

    #[test]
    fn an_older_generation_is_refused_whatever_its_counter() {
        let last = given(2, 1, 1, "A");
        let late = given(1, 99, 2, "A").delivery(Some(&last), None);
        assert!(matches!(late, Err(Refusal::Older { .. })), "{late:?}");
    }

    #[test]
    fn the_same_generation_with_other_content_is_an_error() {
        let last = given(1, 1, 1, "A");
        let other = given(1, 1, 1, "B").delivery(Some(&last), None);
        assert!(matches!(other, Err(Refusal::Changed(_))), "{other:?}");
        let other = given(1, 1, 2, "A").delivery(Some(&last), None);
        assert!(matches!(other, Err(Refusal::Changed(_))), "{other:?}");
    }

    #[test]
    fn a_task_never_runs_twice_under_two_generations() {
        let last = given(1, 1, 1, "A");
        assert_eq!(given(1, 2, 1, "A").delivery(Some(&last), None), Ok(Delivery::Again));
        let other = given(1, 2, 1, "B").delivery(Some(&last), None);
        assert!(matches!(other, Err(Refusal::TaskChanged(_))), "{other:?}");
    }

    #[test]
    fn a_newer_task_waits_for_the_running_one() {
        let last = given(1, 1, 1, "A");
        let next = given(1, 2, 2, "A");
        assert!(matches!(
            next.delivery(Some(&last), Some(&last.task_id)),
            Err(Refusal::Busy(_))
        ));
        assert_eq!(next.delivery(Some(&last), None), Ok(Delivery::New));
    }

    #[test]
    fn impossible_generations_and_too_many_consents_are_refused() {
        let wire = |generation, consents| v1::Assignment {
            generation: Some(generation),
            consents: vec![v1::Consent::default(); consents],
            ..v1::Assignment::default()
        };
        let refused = |wire: v1::Assignment| Assignment::try_from(wire).unwrap_err().field;
        for (epoch, counter) in [(u64::MAX, 1), (1, u64::MAX), (1, MOST_COUNTED + 1)] {
            assert_eq!(
                refused(wire(v1::Generation { epoch, counter }, 0)),
                "assignment.generation"
            );
        }
        let fine = v1::Generation { epoch: 1, counter: 1 };
        assert_eq!(refused(wire(fine, MOST_CONSENTS + 1)), "assignment.consents");
    }
}
