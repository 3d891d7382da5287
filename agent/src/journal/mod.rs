//! The agent's durable memory over crashes, reboots and power cuts: the running task, its begun ops, the used
//! consents, and the events that the coordinator has not stored. It is never used as evidence about the machine.

mod crc;
mod entry;
mod permission;
mod state;
mod task_record;
mod text;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heeler_host::{File, System, content};
use heeler_proto::TaskId;
use heeler_tasks::engine::Event;
use tokio::sync::watch;

pub use entry::{Entry, NumberedEvent, Used};
pub use permission::permits_alone;
pub use state::State;
pub use task_record::{Stop, TaskRecord};

use crate::clock::Clock;

pub const PATH: &str = "/var/lib/heeler-agent/journal";

/// The size in bytes from which it is rewritten, when no task is running.
const COMPACT_BYTES: u64 = 64 * 1024;

/// The size in bytes from which it is rewritten, also while a task is running.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("could not {action} the journal {PATH}")]
    File { action: &'static str, source: io::Error },
    #[error("could not encode a journal entry")]
    Encode(#[source] serde_json::Error),
    #[error(
        "{PATH} is not a journal of this version: install the agent that wrote it, or move the file away and run heeler apply again"
    )]
    Header,
    #[error(
        "line {line} of {PATH} is not known to this version: install the agent that wrote it, or move the file away and run heeler apply again"
    )]
    Unknown {
        /// Number of the line, from 1.
        line: usize,
        source: serde_json::Error,
    },
    #[error(
        "line {line} of {PATH} is damaged, with whole lines after it: check the disk it is on, move the file away and run heeler apply again"
    )]
    Damaged {
        /// Number of the line, from 1.
        line: usize,
    },
    /// An earlier write failed in part, and the file could not be shortened to its old length.
    #[error("the journal {PATH} could not be repaired after a failed write: restart the agent")]
    Broken,
}

impl From<JournalError> for io::Error {
    fn from(error: JournalError) -> Self {
        Self::other(error)
    }
}

/// The journal. It may be used concurrently: entries are written one after the other, each synced to the disk.
pub struct Journal {
    host: Arc<dyn System>,
    clock: Clock,
    writer: tokio::sync::Mutex<Writer>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct Writer {
    length: u64,
    /// The size for the next rewrite, so that a journal that stays large is not rewritten at each entry.
    compact_at: u64,
    broken: bool,
}

async fn read(host: &dyn System) -> Result<Vec<u8>, JournalError> {
    let bytes = content(host, Path::new(PATH)).await;
    let bytes = bytes.map_err(|source| JournalError::File { action: "read", source })?;
    Ok(bytes.unwrap_or_default())
}

/// The state in the journal on disk; only reads, and ignores an incomplete last line. Fails when it cannot be read, or
/// a line before the last is damaged.
pub async fn remembered(host: &dyn System) -> Result<State, JournalError> {
    let bytes = read(host).await?;
    let mut state = State::default();
    for entry in text::parse(&bytes)?.entries {
        state.apply(entry);
    }
    Ok(state)
}

impl Journal {
    /// Reads the journal, cuts off an incomplete last line, and creates the file when it is missing. Fails when it
    /// cannot be read, or a line before the last is damaged.
    pub async fn open(host: Arc<dyn System>, clock: Clock) -> Result<Self, JournalError> {
        let path = Path::new(PATH);
        let bytes = read(host.as_ref()).await?;
        let found = text::parse(&bytes)?;
        let mut state = State::default();
        for entry in found.entries {
            state.apply(entry);
        }
        let length = found.length as u64;
        if found.length == 0 {
            rewrite(host.as_ref(), text::HEADER.to_vec()).await?;
        } else if found.length < bytes.len() {
            tracing::warn!(
                bytes = bytes.len() - found.length,
                "removed an incomplete entry from the end of the journal"
            );
            host.truncate(path, length)
                .await
                .map_err(|source| JournalError::File { action: "cut", source })?;
        }
        let writer = Writer {
            length: length.max(text::HEADER.len() as u64),
            compact_at: COMPACT_BYTES,
            broken: false,
        };
        Ok(Self {
            host,
            clock,
            writer: tokio::sync::Mutex::new(writer),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies after each entry.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Writes one entry; it is on the disk when this returns. Fails when it is not; then the file has no part of it.
    pub async fn append(&self, entry: Entry) -> Result<(), JournalError> {
        let mut writer = self.writer.lock().await;
        self.write(&mut writer, entry).await
    }

    /// Numbers an event and writes it. When too many wait for the coordinator, a routine one is dropped. Its errors are
    /// those of [`Self::append`].
    pub async fn tell(&self, task: Option<&TaskId>, event: Event) -> Result<(), JournalError> {
        let mut writer = self.writer.lock().await;
        self.number(&mut writer, task, event).await?;
        let drops = self.state().dropped > 0;
        if drops { self.compact(&mut writer).await } else { Ok(()) }
    }

    async fn number(&self, writer: &mut Writer, task: Option<&TaskId>, event: Event) -> Result<(), JournalError> {
        let numbered = NumberedEvent {
            seq: self.state().last_seq + 1,
            at_ms: self.clock.now_ms(),
            task: task.cloned(),
            event,
        };
        self.write(writer, Entry::Told(numbered)).await
    }

    /// Stores that the coordinator has stored all events up to `seq`. A number that no event can have is ignored. Its
    /// errors are those of [`Self::append`].
    pub async fn acknowledge(&self, seq: u64) -> Result<(), JournalError> {
        if seq > state::MOST_EVENTS {
            tracing::warn!(
                seq,
                "the coordinator acknowledges events that no node can have: ignored"
            );
            return Ok(());
        }
        let mut writer = self.writer.lock().await;
        if seq <= self.state().acknowledged {
            return Ok(());
        }
        self.write(&mut writer, Entry::Acknowledged { seq }).await?;
        let notice = self.state().notice();
        if let Some(notice) = notice {
            self.number(&mut writer, None, notice).await?;
        }
        self.compact(&mut writer).await
    }

    async fn write(&self, writer: &mut Writer, entry: Entry) -> Result<(), JournalError> {
        let path = Path::new(PATH);
        if writer.broken {
            return Err(JournalError::Broken);
        }
        let line = text::line(&entry)?;
        if let Err(source) = self.host.append(path, &line).await {
            writer.broken = self.host.truncate(path, writer.length).await.is_err();
            return Err(JournalError::File {
                action: "append to",
                source,
            });
        }
        writer.length += line.len() as u64;
        self.state().apply(entry);
        self.changed.send_replace(());
        Ok(())
    }

    async fn compact(&self, writer: &mut Writer) -> Result<(), JournalError> {
        let busy = self.state().in_hand.is_some() && writer.length < MOST_BYTES;
        if writer.length < writer.compact_at || busy {
            return Ok(());
        }
        let entries = self.state().entries();
        let (mut bytes, mut state) = (text::HEADER.to_vec(), State::default());
        for entry in entries {
            bytes.extend(text::line(&entry)?);
            state.apply(entry);
        }
        let length = bytes.len() as u64;
        rewrite(self.host.as_ref(), bytes).await?;
        *self.state() = state;
        writer.length = length;
        writer.compact_at = COMPACT_BYTES.max(2 * length);
        Ok(())
    }
}

async fn rewrite(host: &dyn System, bytes: Vec<u8>) -> Result<(), JournalError> {
    let file = File::private(PATH, bytes);
    host.write(&file).await.map_err(|source| JournalError::File {
        action: "write",
        source,
    })
}

#[cfg(test)]
mod tests;
