use std::io;
use std::sync::Arc;
use std::time::Duration;

use heeler_host::{System, zpool};
use heeler_tasks::engine::{Event, in_full};
use heeler_tasks::snapshot::round::{DatasetState, Round, Run, round};
use heeler_tasks::snapshot::schedule::Snapshots;
use heeler_tasks::snapshot::{next_due_s, schedule, scrub};

use super::copies::{self, Copies};
use super::memory::Memory;
use super::scrubs;
use super::trust;

/// The longest time between two turns, in seconds.
const LONGEST_S: u64 = 600;
/// The time between two turns while a scrub runs, in seconds.
const SCRUBBING_S: u64 = 30;
/// After how many seconds an unchanged problem is reported again.
const AGAIN_S: u64 = 24 * 60 * 60;

/// The result of a turn.
pub struct Turn {
    /// Events, in order.
    pub events: Vec<Event>,
    /// Progress of a running scrub.
    pub progress: Option<Event>,
    /// The state of the schedule.
    pub state: ScheduleState,
    /// How long to wait for the next turn.
    pub wake: Duration,
}

/// The state of the schedule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScheduleState {
    /// The state of each dataset with a policy.
    pub datasets: Vec<DatasetState>,
    /// Why nothing is pruned; empty when nothing could be.
    pub no_pruning: String,
    /// The problems of the last round: what was attempted and what was found.
    pub problems: Vec<String>,
    /// The datasets with a policy that do not exist.
    pub absent: Vec<String>,
    /// When the last complete scrub ended, Unix seconds; 0 when unknown.
    pub last_scrub_s: u64,
    /// When the next scrub is due, Unix seconds; 0 without a schedule.
    pub next_scrub_s: u64,
    /// When a scrub is overdue, Unix seconds; 0 without a schedule.
    pub scrub_overdue_s: u64,
    /// Percent plus 1 (1 to 101) while a scrub runs; 0 when none does.
    pub scrub_percent: u32,
    /// When the newest copy of the SD card was made, Unix seconds; 0 when none is known of.
    pub last_copy_s: u64,
    /// When a copy is overdue, Unix seconds; 0 without a schedule.
    pub copy_overdue_s: u64,
    /// Why the last attempt made no copy; empty when it did.
    pub copy_problem: String,
}

/// The schedule of one machine.
pub struct Scheduler {
    host: Arc<dyn System>,
    memory: Memory,
    written: Memory,
    /// The schedule of the last round, and when the next round is due, Unix seconds.
    last: Option<(Snapshots, u64)>,
    /// When the last round was, Unix seconds. When the clock goes back, the next round is due.
    at_s: u64,
    reported_s: u64,
    /// Whether the clock has jumped: then its time is not stored.
    jumped: bool,
    /// Whether the clock follows a time server: then times in the future, from an earlier wrong clock, may be
    /// corrected.
    synchronised: bool,
    state: ScheduleState,
    copies: Copies,
}

impl Scheduler {
    /// With the memory on disk.
    pub async fn open(host: Arc<dyn System>) -> Self {
        let memory = Memory::read(host.as_ref()).await;
        Self {
            host,
            written: memory.clone(),
            memory,
            last: None,
            at_s: 0,
            reported_s: 0,
            jumped: false,
            synchronised: false,
            state: ScheduleState::default(),
            copies: Copies::default(),
        }
    }

    /// Does what is due.
    pub async fn turn(&mut self) -> Turn {
        let now_s = self.host.now_ms() / 1000;
        let mut events = Vec::new();
        let mut wake_s = LONGEST_S;
        match self.snapshots().await {
            Ok(wanted) => {
                let due = self
                    .last
                    .as_ref()
                    .is_none_or(|(by, next_s)| *by != wanted || now_s >= *next_s);
                if due || now_s.saturating_add(LONGEST_S) < self.at_s {
                    let next_s = self.round(&wanted, now_s, &mut events).await;
                    self.last = Some((wanted, next_s));
                    self.at_s = now_s;
                }
                let next_s = self.last.as_ref().map_or(now_s, |(_, next_s)| *next_s);
                wake_s = wake_s.min(next_s.saturating_sub(now_s).max(1));
            }
            Err(problem) => self.report(
                Round {
                    problems: vec![problem],
                    ..Round::default()
                },
                now_s,
                &mut events,
            ),
        }
        let progress = self.scrubs(now_s, &mut events).await;
        self.copies(now_s).await;
        if self.state.scrub_percent > 0 {
            wake_s = wake_s.min(SCRUBBING_S);
        }
        Turn {
            events,
            progress,
            state: self.state.clone(),
            wake: Duration::from_secs(wake_s),
        }
    }

    /// The accepted schedule on disk; empty when there is none. Its error: a message, when it cannot be read; then
    /// nothing is done.
    async fn snapshots(&self) -> Result<Snapshots, String> {
        let text = heeler_host::whole_text(self.host.as_ref(), schedule::SNAPSHOTS).await;
        match text.map_err(|error| in_full(&error))? {
            None => Ok(Snapshots::default()),
            Some(text) => schedule::snapshots(&text).map_err(|error| error.to_string()),
        }
    }

    /// Runs a round; returns when the next one is due, Unix seconds.
    async fn round(&mut self, wanted: &Snapshots, now_s: u64, events: &mut Vec<Event>) -> u64 {
        let policies = &wanted.task.policies;
        if policies.is_empty() {
            self.state.datasets.clear();
            self.state.problems.clear();
            self.state.absent.clear();
            self.state.no_pruning.clear();
            self.memory.problems.clear();
            self.jumped = false;
            self.synchronised = trust::synchronised(self.host.as_ref()).await;
            return now_s + LONGEST_S;
        }
        let host = self.host.as_ref();
        let synchronised = trust::synchronised(host).await;
        let doubt = self.memory.trust.judge(synchronised, trust::clocks(host).await);
        let jumped = synchronised && doubt.is_some();
        if self.jumped && !jumped {
            // A scrub may have ended meanwhile, so the pool is examined again.
            self.state.next_scrub_s = 0;
        }
        (self.jumped, self.synchronised) = (jumped, synchronised);
        let round = round(host, wanted, doubt.is_none()).await;
        let soon = round.more || !round.problems.is_empty() || !round.absent.is_empty();
        self.state.datasets.clone_from(&round.datasets);
        self.state.no_pruning = match (round.waiting, doubt) {
            (0, _) => String::new(),
            (_, Some(doubt)) => doubt,
            (_, None) if wanted.pools.is_empty() => {
                "the schedule does not name its pool: heeler apply writes it again".to_owned()
            }
            (_, None) => "its pool is not ONLINE, or it resilvers".to_owned(),
        };
        self.report(round, now_s, events);
        let next = policies
            .iter()
            .filter_map(|policy| next_due_s(&policy.keep, now_s))
            .min();
        let next_s = next.unwrap_or(now_s + 24 * LONGEST_S);
        if soon { next_s.min(now_s + LONGEST_S) } else { next_s }
    }

    /// Reports a round, unless it did nothing and has no new problem.
    fn report(&mut self, round: Round, now_s: u64, events: &mut Vec<Event>) {
        let mut problems = round.problems.clone();
        self.state.problems.clone_from(&problems);
        self.state.absent.clone_from(&round.absent);
        let absent = round.absent.iter();
        problems.extend(absent.map(|dataset| format!("there is no dataset {dataset}: no snapshot of it was taken")));
        if !self.state.no_pruning.is_empty() {
            problems.push(format!("nothing is pruned: {}", self.state.no_pruning));
        }
        let news = problems != self.memory.problems
            || (!problems.is_empty() && now_s >= self.reported_s.saturating_add(AGAIN_S));
        let did = !round.taken.is_empty() || !round.pruned.is_empty();
        if news {
            self.reported_s = now_s;
        }
        self.memory.problems.clone_from(&problems);
        if did || news {
            let new_problems = if news { problems } else { Vec::new() };
            events.push(Event::Snapshots(Run::of(
                round,
                new_problems,
                self.state.no_pruning.clone(),
            )));
        }
    }

    async fn scrubs(&mut self, now_s: u64, events: &mut Vec<Event>) -> Option<Event> {
        let host = self.host.clone();
        let text = heeler_host::whole_text(host.as_ref(), schedule::SCRUBS)
            .await
            .ok()
            .flatten();
        let Some(wanted) = text.and_then(|text| schedule::scrubs(&text).ok()) else {
            (
                self.state.next_scrub_s,
                self.state.scrub_overdue_s,
                self.state.scrub_percent,
            ) = (0, 0, 0);
            return None;
        };
        let memory = &mut self.memory.scrub;
        if memory.pool != wanted.pool.as_str() {
            *memory = super::memory::ScrubMemory {
                pool: wanted.pool.to_string(),
                since_s: now_s,
                ..Default::default()
            };
        }
        let sure = self.synchronised && !self.jumped;
        if sure {
            memory.since_s = memory.since_s.min(now_s);
        }
        let due = scrubs::due(&wanted, memory, now_s);
        let looks = memory.running || memory.last_s == 0 || due || self.state.next_scrub_s == 0;
        let mut progress = None;
        if looks {
            let pools = zpool::status(host.as_ref()).await.unwrap_or_default();
            if let Some(pool) = pools.iter().find(|pool| pool.name == wanted.pool.as_str()) {
                let memory = &mut self.memory.scrub;
                if sure {
                    memory.last_s = scrubs::past(memory.last_s, now_s);
                }
                progress = scrubs::turn(host.as_ref(), &wanted, pool, memory, !self.jumped, now_s, events).await;
                self.state.scrub_percent = scrub::percent(pool).max(u32::from(self.memory.scrub.running));
            }
        }
        let memory = &self.memory.scrub;
        let last_s = scrubs::past(memory.last_s, now_s);
        self.state.last_scrub_s = last_s;
        self.state.next_scrub_s = scrub::slots(&wanted, now_s).map_or(0, |(_, next_s)| next_s);
        let overdue = scrub::overdue_s(&wanted);
        self.state.scrub_overdue_s =
            overdue.map_or(0, |after| last_s.max(memory.since_s.min(now_s)).saturating_add(after));
        progress
    }

    async fn copies(&mut self, now_s: u64) {
        let text = heeler_host::whole_text(self.host.as_ref(), schedule::COPIES)
            .await
            .ok()
            .flatten();
        let wanted = text.and_then(|text| schedule::copies(&text).ok());
        let Some(wanted) = wanted.filter(|wanted| wanted.keep > 0) else {
            self.memory.copy = super::memory::CopyMemory::default();
            (self.state.last_copy_s, self.state.copy_overdue_s) = (0, 0);
            self.state.copy_problem.clear();
            return;
        };
        let (memory, sure) = (&mut self.memory.copy, self.synchronised && !self.jumped);
        self.copies.turn(self.host.as_ref(), &wanted, memory, sure, now_s).await;
        (self.state.last_copy_s, self.state.copy_overdue_s) = copies::times(memory, now_s);
        self.state.copy_problem.clone_from(&memory.problem);
    }

    /// The events to report now. Without `room`, because many events wait for the coordinator, rounds are summed up
    /// instead.
    pub fn to_report(&mut self, events: Vec<Event>, room: bool) -> Vec<Event> {
        let mut reported: Vec<Event> = Vec::new();
        if room {
            reported.extend(self.memory.sum.take().map(Event::Snapshots));
        }
        for event in events {
            match event {
                Event::Snapshots(run) if !room => self.sum_up(run),
                event => reported.push(event),
            }
        }
        reported
    }

    /// Adds a round to the sum that is reported later.
    pub fn sum_up(&mut self, run: Run) {
        self.memory.sum = Some(match self.memory.sum.take() {
            Some(sum) => sum.and(run),
            None => run,
        });
    }

    /// Writes the memory to disk, if it changed. Fails when it cannot be written.
    pub async fn remember(&mut self) -> io::Result<()> {
        if self.memory != self.written {
            self.memory.write(self.host.as_ref()).await?;
            self.written = self.memory.clone();
        }
        Ok(())
    }
}
