use heeler_proto::{Irreversible, TaskId};
use heeler_tasks::engine::{Event, Intent};

use super::{Entry, NumberedEvent, Used};
use crate::assignment::Assignment;

/// The most used consents that are listed; an operator gives a few a year.
const MOST_USED: usize = 512;

/// The highest number of an event. Counting can continue from it, whatever a coordinator acknowledges.
pub const MOST_EVENTS: u64 = 1 << 53;

/// The most events that wait for the coordinator. When there are more, routine ones between the first and the newest
/// are dropped.
pub const MOST_WAITING: usize = 2000;
/// The number of first events that are kept, because they show how the trouble began.
const FIRST: usize = 500;
/// The step name of the event that reports dropped events.
const DROPPED: &str = "dropped events";

/// The state that all entries of the journal together describe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The last number that was given to an event.
    pub last_seq: u64,
    /// The last event that the coordinator has stored.
    pub acknowledged: u64,
    pub in_hand: Option<Assignment>,
    /// Ops that cannot be undone, reboots and jobs, begun and not ended, oldest first.
    pub begun: Vec<(TaskId, Intent)>,
    /// Creations that failed and may have left marks on the disks, oldest first. They permit nothing.
    pub failed: Vec<(TaskId, Intent)>,
    pub used: Vec<Used>,
    /// The latest expiry of those no longer in `used`, Unix milliseconds. A consent that expires no later may be one
    /// of them.
    pub forgotten_ms: u64,
    /// Events that the coordinator has not stored, oldest first.
    pub events: Vec<NumberedEvent>,
    /// How many events were dropped and not reported yet.
    pub dropped: u64,
}

impl State {
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Base {
                last_seq,
                acknowledged,
                forgotten_ms,
                dropped,
            } => {
                self.dropped = dropped;
                self.last_seq = last_seq.min(MOST_EVENTS);
                self.acknowledged = acknowledged.min(MOST_EVENTS);
                self.forgotten_ms = forgotten_ms;
            }
            Entry::Accepted(assignment) => self.in_hand = Some(*assignment),
            Entry::Begun { task, intent } => {
                if intent.act.is_some() || intent.reboot || intent.job.is_some() {
                    self.begun.push((task, intent));
                }
            }
            Entry::Ended { task, intent, error } => self.ended(&task, &intent, error.is_some()),
            Entry::Used(used) => self.use_up(used),
            Entry::Told(numbered) => {
                self.last_seq = numbered.seq;
                if matches!(numbered.event, Event::TaskFinished { .. }) {
                    self.in_hand
                        .take_if(|assignment| Some(&assignment.task_id) == numbered.task.as_ref());
                    self.begun
                        .retain(|(task, intent)| intent.act.is_some() || Some(task) != numbered.task.as_ref());
                }
                if numbered.event.is_progress_of(DROPPED) {
                    self.dropped = 0;
                }
                self.events.push(numbered);
                self.drop_one_too_many();
            }
            // An earlier version stored impossible numbers too.
            Entry::Acknowledged { seq } if seq > MOST_EVENTS => {}
            Entry::Acknowledged { seq } => {
                self.acknowledged = self.acknowledged.max(seq);
                self.last_seq = self.last_seq.max(seq);
                self.events.retain(|numbered| numbered.seq > seq);
            }
        }
    }

    /// Drops a routine event, or the oldest event after the first ones when none is routine.
    fn drop_one_too_many(&mut self) {
        if self.events.len() > MOST_WAITING {
            let routine = self
                .events
                .iter()
                .skip(FIRST)
                .position(|numbered| numbered.event.is_routine());
            self.events.remove(FIRST + routine.unwrap_or(0));
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The event that reports dropped events, when there are some and there is room.
    pub fn notice(&self) -> Option<Event> {
        (self.dropped > 0 && self.events.len() < MOST_WAITING).then(|| Event::Progress {
            step: DROPPED.to_owned(),
            text: format!(
                "{} events were dropped: more than {MOST_WAITING} waited for the coordinator",
                self.dropped
            ),
            percent: None,
        })
    }

    /// Which consent is forgotten does not depend on the clock, which may go back: the one that expires first is
    /// removed, and from then on every consent that expires no later counts as used.
    fn use_up(&mut self, used: Used) {
        self.used.push(used);
        while self.used.len() > MOST_USED {
            let first = self.used.iter().enumerate().min_by_key(|(_, used)| used.expires_at_ms);
            let Some(index) = first.map(|(index, _)| index) else {
                return;
            };
            self.forgotten_ms = self.forgotten_ms.max(self.used.remove(index).expires_at_ms);
        }
    }

    fn ended(&mut self, task: &TaskId, intent: &Intent, failed: bool) {
        let Some(act) = &intent.act else {
            self.begun.retain(|(of, begun)| of != task || begun != intent);
            return;
        };
        if failed {
            // An earlier, interrupted attempt left something on the disks: that entry stays.
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

    /// Creations that failed, then acts that were begun and not ended; oldest first.
    pub fn interrupted(&self) -> Vec<Irreversible> {
        self.left().map(|(_, act)| act.clone()).collect()
    }

    /// Like [`Self::interrupted`], without the erasures of other tasks, which `task` does not continue.
    pub fn interrupted_before(&self, task: &TaskId) -> Vec<Irreversible> {
        let erasing = |act: &Irreversible| matches!(act, Irreversible::EraseContents(_));
        let left = self.left().filter(|(of, act)| *of == task || !erasing(act));
        left.map(|(_, act)| act.clone()).collect()
    }

    fn left(&self) -> impl Iterator<Item = (&TaskId, &Irreversible)> {
        let all = self.failed.iter().chain(&self.begun);
        all.filter_map(|(task, intent)| Some((task, intent.act.as_ref()?)))
    }

    /// The fewest entries that describe this state, for rewriting the journal.
    pub fn entries(&self) -> Vec<Entry> {
        let base = Entry::Base {
            last_seq: self.last_seq,
            acknowledged: self.acknowledged,
            forgotten_ms: self.forgotten_ms,
            dropped: self.dropped,
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
        let used = self.used.iter().map(|used| Entry::Used(used.clone()));
        let events = self.events.iter().map(|numbered| Entry::Told(numbered.clone()));
        let mut entries = vec![base];
        entries.extend(events.chain(in_hand).chain(failed).chain(begun).chain(used));
        entries
    }
}
