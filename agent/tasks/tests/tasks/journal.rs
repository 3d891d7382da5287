//! A record on the machine's own disk, like the agent's: it survives what the machine survives.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use heeler_host::System;
use heeler_proto::{Consent, Irreversible, NodeName, TaskId};
use heeler_tasks::engine::{Event, Intent, NoConsent, Outcome, Record};
use serde::{Deserialize, Serialize};

const PATH: &str = "/var/lib/heeler-agent/journal";

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Line {
    Used {
        consent: String,
        task: TaskId,
        act: [u8; 32],
    },
    Begin {
        task: TaskId,
        intent: Intent,
    },
    End {
        task: TaskId,
        intent: Intent,
    },
    Reported {
        task: TaskId,
        event: Event,
    },
}

/// The journal of one node with one task.
pub(crate) struct Journal<'a> {
    host: &'a dyn System,
    node: NodeName,
    task: TaskId,
    consents: Vec<Consent>,
    operator: Vec<u8>,
    lines: Vec<Line>,
    pub(crate) awaited: Awaited,
    /// Progress events, which are not stored.
    pub(crate) progress: Vec<Event>,
}

/// Whether a network change waits for confirmation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Awaited(Arc<AtomicBool>);

impl Awaited {
    pub(crate) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<'a> Journal<'a> {
    /// Reads the file and cuts off an incomplete last line.
    pub(crate) async fn open(
        host: &'a dyn System,
        (node, task): (&NodeName, &TaskId),
        consents: &[Consent],
        operator: &[u8],
    ) -> Self {
        let bytes = host.read(Path::new(PATH)).await.unwrap_or_default();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            host.truncate(Path::new(PATH), whole as u64).await.unwrap();
        }
        let lines = bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        Self {
            host,
            node: node.clone(),
            task: task.clone(),
            consents: consents.to_vec(),
            operator: operator.to_vec(),
            awaited: Awaited::default(),
            progress: Vec::new(),
            lines: lines.map(|line| serde_json::from_slice(line).unwrap()).collect(),
        }
    }

    /// Whether the task was begun and has not finished.
    pub(crate) fn in_hand(&self) -> bool {
        self.events().any(|event| matches!(event, Event::TaskStarted { .. })) && !self.finished()
    }

    fn finished(&self) -> bool {
        self.outcome().is_some()
    }

    /// How the task ended; None while it is open.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.events().find_map(|event| match event {
            Event::TaskFinished { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
    }

    /// All events of the task.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.lines.iter().filter_map(|line| match line {
            Line::Reported { task, event } if *task == self.task => Some(event),
            _ => None,
        })
    }

    async fn put(&mut self, line: Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.host.append(Path::new(PATH), &text).await?;
        self.lines.push(line);
        Ok(())
    }

    /// Acts begun and not ended, with their tasks, oldest first.
    fn open_intents(&self) -> Vec<(&TaskId, &Intent)> {
        let mut open: Vec<(&TaskId, &Intent)> = Vec::new();
        for line in &self.lines {
            match line {
                Line::Begin { task, intent } => open.push((task, intent)),
                Line::End { task, intent } => open.retain(|one| *one != (task, intent)),
                Line::Used { .. } | Line::Reported { .. } => {}
            }
        }
        open
    }

    /// Permitted to this task and not ended since.
    fn still_permitted(&self, digest: [u8; 32]) -> bool {
        let mut permitted = false;
        for line in &self.lines {
            match line {
                Line::Used { task, act, .. } if *task == self.task && *act == digest => permitted = true,
                Line::End { task, intent } if *task == self.task => {
                    permitted &= intent.act.as_ref().is_none_or(|act| act.digest() != digest);
                }
                _ => {}
            }
        }
        permitted
    }
}

#[async_trait]
impl Record for Journal<'_> {
    async fn permit(&mut self, act: &Irreversible) -> Result<(), NoConsent> {
        if self.still_permitted(act.digest()) {
            return Ok(());
        }
        let mut reason = "no consent was given".to_owned();
        for consent in self.consents.clone() {
            let used = |line: &Line| matches!(line, Line::Used { consent: id, .. } if *id == consent.id);
            if self.lines.iter().any(used) {
                reason = "the consent was used before".to_owned();
                continue;
            }
            match consent.permits(
                (&self.task, &self.node),
                &act.digest(),
                self.host.now_ms(),
                &self.operator,
            ) {
                Err(error) => reason = error.to_string(),
                Ok(()) => {
                    let line = Line::Used {
                        consent: consent.id,
                        task: self.task.clone(),
                        act: act.digest(),
                    };
                    let put = self.put(line).await;
                    return put.map_err(|error| NoConsent {
                        reason: error.to_string(),
                    });
                }
            }
        }
        Err(NoConsent { reason })
    }

    async fn begin(&mut self, intent: &Intent) -> io::Result<()> {
        let (task, intent) = (self.task.clone(), intent.clone());
        self.put(Line::Begin { task, intent }).await
    }

    async fn end(&mut self, intent: &Intent, _: Option<&str>) -> io::Result<()> {
        let (task, intent) = (self.task.clone(), intent.clone());
        self.put(Line::End { task, intent }).await
    }

    fn interrupted(&self) -> Vec<Irreversible> {
        self.open_intents()
            .iter()
            .filter_map(|(_, intent)| intent.act.clone())
            .collect()
    }

    fn task(&self) -> String {
        self.task.to_string()
    }

    fn pending(&self) -> Option<Intent> {
        let open = self.open_intents().into_iter().rev();
        let mut ours = open.filter(|(task, intent)| **task == self.task && (intent.reboot || intent.job.is_some()));
        ours.next().map(|(_, intent)| intent.clone())
    }

    fn awaits_confirmation(&mut self, is: bool) {
        self.awaited.0.store(is, Ordering::Relaxed);
    }

    async fn emit(&mut self, event: Event) -> io::Result<()> {
        if matches!(event, Event::Progress { .. }) {
            self.progress.push(event);
            return Ok(());
        }
        let task = self.task.clone();
        self.put(Line::Reported { task, event }).await
    }
}
