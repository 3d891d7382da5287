use heeler_proto::{Irreversible, TaskId};
use heeler_tasks::engine::{Event, Intent};

use super::{Entry, Told, Used};
use crate::assignment::Assignment;

/// What the journal says, all entries taken together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The last number given to an event.
    pub last_seq: u64,
    /// The last number that the coordinator has stored.
    pub acknowledged: u64,
    /// The task that is not over.
    pub in_hand: Option<Assignment>,
    /// Ops that cannot be undone or that reboot, begun and never ended, oldest first.
    pub begun: Vec<(TaskId, Intent)>,
    /// Creations that failed and may have left their marks on the disks, oldest first. They permit nothing.
    pub failed: Vec<(TaskId, Intent)>,
    /// Consents that are used up.
    pub used: Vec<Used>,
    /// Events that the coordinator has not stored, oldest first.
    pub events: Vec<Told>,
}

impl State {
    /// Takes one more entry in.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Base { last_seq, acknowledged } => {
                self.last_seq = last_seq;
                self.acknowledged = acknowledged;
            }
            Entry::Accepted(assignment) => self.in_hand = Some(*assignment),
            Entry::Begun { task, intent } => {
                if intent.act.is_some() || intent.reboot {
                    self.begun.push((task, intent));
                }
            }
            Entry::Ended { task, intent, error } => self.ended(&task, &intent, error.is_some()),
            Entry::Used(used) => self.used.push(used),
            Entry::Told(told) => {
                self.last_seq = told.seq;
                if matches!(told.event, Event::TaskFinished { .. }) {
                    self.in_hand
                        .take_if(|assignment| Some(&assignment.task_id) == told.task.as_ref());
                    self.begun
                        .retain(|(task, intent)| intent.act.is_some() || Some(task) != told.task.as_ref());
                }
                self.events.push(told);
            }
            Entry::Acknowledged { seq } => {
                self.acknowledged = self.acknowledged.max(seq);
                self.last_seq = self.last_seq.max(seq);
                self.events.retain(|told| told.seq > seq);
            }
        }
    }

    fn ended(&mut self, task: &TaskId, intent: &Intent, failed: bool) {
        let Some(act) = &intent.act else {
            self.begun.retain(|(of, begun)| of != task || begun != intent);
            return;
        };
        if failed {
            // What an earlier, cut off, attempt left on the disks is still there.
            if let Some(last) = self
                .begun
                .iter()
                .rposition(|(of, begun)| of == task && begun.act.as_ref() == Some(act))
            {
                self.begun.remove(last);
            }
            self.failed.retain(|(_, known)| known.act.as_ref() != Some(act));
            if let Irreversible::CreatePool(_) = act {
                self.failed.push((task.clone(), intent.clone()));
            }
        } else {
            for list in [&mut self.begun, &mut self.failed] {
                list.retain(|(_, known)| known.act.as_ref() != Some(act));
            }
        }
        let digest = act.digest();
        for used in &mut self.used {
            used.spent |= used.task == *task && used.act == digest;
        }
    }

    /// Creations that failed, then acts that were begun and never ended; oldest first.
    #[must_use]
    pub fn interrupted(&self) -> Vec<Irreversible> {
        self.left().map(|(_, act)| act.clone()).collect()
    }

    /// The same, without what other tasks were erasing: `task` does not go on with that.
    #[must_use]
    pub fn interrupted_before(&self, task: &TaskId) -> Vec<Irreversible> {
        let erasing = |act: &Irreversible| matches!(act, Irreversible::EraseContents(_));
        let left = self.left().filter(|(of, act)| *of == task || !erasing(act));
        left.map(|(_, act)| act.clone()).collect()
    }

    fn left(&self) -> impl Iterator<Item = (&TaskId, &Irreversible)> {
        let all = self.failed.iter().chain(&self.begun);
        all.filter_map(|(task, intent)| Some((task, intent.act.as_ref()?)))
    }

    /// The least that says the same, for a journal written anew. A used consent is forgotten a day after it expired by
    /// the coordinator's clock: the node's own may have jumped.
    #[must_use]
    pub fn entries(&self, coordinator_ms: u64) -> Vec<Entry> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let base = Entry::Base {
            last_seq: self.last_seq,
            acknowledged: self.acknowledged,
        };
        let in_hand = self
            .in_hand
            .iter()
            .map(|assignment| Entry::Accepted(Box::new(assignment.clone())));
        let begun = self.begun.iter().map(|(task, intent)| Entry::Begun {
            task: task.clone(),
            intent: intent.clone(),
        });
        let failed = self.failed.iter().map(|(task, intent)| Entry::Ended {
            task: task.clone(),
            intent: intent.clone(),
            error: Some(String::new()),
        });
        let used = self
            .used
            .iter()
            .filter(|used| used.expires_at_ms.saturating_add(DAY_MS) > coordinator_ms)
            .map(|used| Entry::Used(used.clone()));
        let events = self.events.iter().map(|told| Entry::Told(told.clone()));
        let mut entries = vec![base];
        entries.extend(events.chain(in_hand).chain(failed).chain(begun).chain(used));
        entries
    }
}
