//! Copies of the state on the nodes' pools, made every hour; each one can restore the coordinator.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heeler_proto::v1;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::app::{App, AppError, Holder};
use crate::backup::{BackupError, Content, Packed, pack};
use crate::sessions::NoAnswer;

/// A node whose newest copy is older gets another one.
const EVERY_MS: u64 = 60 * 60 * 1000;
/// How often the ages are checked.
const LOOK: Duration = Duration::from_secs(60);
/// Largest copy, in bytes, that a node is asked to keep.
const LARGEST: u64 = 32 << 20;
/// Bytes on their way to one node at a time.
const CHUNK: usize = 128 << 10;
/// Nodes that get a copy at the same time.
const AT_ONCE: usize = 8;
/// A pool that needs longer for one chunk counts as hung.
const ANSWER: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    pub kept: Vec<v1::CopyInfo>,
    /// Nodes that did not take the copy, with the reason.
    pub problems: Vec<v1::CopyProblem>,
}

impl App {
    /// Makes copies for as long as the coordinator runs.
    pub async fn keep_copies(&self) {
        loop {
            sleep(LOOK).await;
            match self.hand_out_copies(EVERY_MS).await {
                Ok(round) => {
                    for problem in round.problems {
                        warn!(node = problem.node, reason = problem.reason, "no copy was kept there");
                    }
                }
                // The status already reports a missing recovery key.
                Err(BackupError::NoRecoveryKey) => {}
                Err(error) => {
                    let error = AppError::from(error);
                    self.heed(&error);
                    let error: &dyn std::error::Error = &error;
                    warn!(error, "no copy of the state could be made");
                }
            }
        }
    }

    /// Sends one copy to every node that can keep one and has none younger than `older_than_ms`. Fails when no copy can
    /// be made. A node that does not take it is part of the result.
    pub async fn hand_out_copies(&self, older_than_ms: u64) -> Result<Round, BackupError> {
        let _one = self.copying().await;
        let holders = self.holders(older_than_ms).await.map_err(of_app)?;
        if holders.is_empty() {
            self.copies_failed(Vec::new());
            return Ok(Round::default());
        }
        let file = self.state().path().join("heeler.db.copy");
        let now_ms = self.time_ms();
        let packed = Arc::new(pack(self.state(), None, Content::Thin(LARGEST), &file, now_ms).await?);
        let mut round = Round::default();
        let (mut waiting, mut sending) = (holders.into_iter(), JoinSet::new());
        loop {
            while sending.len() < AT_ONCE
                && let Some(holder) = waiting.next()
            {
                sending.spawn(send(holder, packed.clone(), file.clone()));
            }
            let Some(sent) = sending.join_next().await else { break };
            let Ok((node, outcome)) = sent else { continue };
            match outcome {
                Ok(copy) => {
                    self.keep_copy(&copy, &packed.sha256).await.map_err(of_app)?;
                    info!(node, bytes = copy.bytes, "holds a copy of the state");
                    round.kept.push(copy);
                }
                Err(reason) => round.problems.push(v1::CopyProblem { node, reason }),
            }
        }
        tokio::fs::remove_file(&file).await.ok();
        round.kept.sort_by(|a, b| a.node.cmp(&b.node));
        round.problems.sort_by(|a, b| a.node.cmp(&b.node));
        self.copies_failed(round.problems.clone());
        Ok(round)
    }
}

fn of_app(error: AppError) -> BackupError {
    match error {
        AppError::Store(error) => BackupError::Store(error),
        other => BackupError::Damaged(other.to_string()),
    }
}

async fn send(holder: Holder, packed: Arc<Packed>, file: PathBuf) -> (String, Result<v1::CopyInfo, String>) {
    let node = holder.session.node.to_string();
    let outcome = send_all(&holder, &packed, file).await;
    (node, outcome)
}

async fn send_all(holder: &Holder, packed: &Packed, file: PathBuf) -> Result<v1::CopyInfo, String> {
    let at_ms = packed.manifest.created_at_ms;
    let name = format!("coordinator-{at_ms}.age");
    let mut file = File::open(file).await.map_err(|error| error.to_string())?;
    let mut offset = 0;
    while offset < packed.bytes {
        let mut data = Vec::with_capacity(CHUNK);
        let read = (&mut file).take(CHUNK as u64).read_to_end(&mut data).await;
        read.map_err(|error| error.to_string())?;
        let length = data.len() as u64;
        let chunk = v1::CopyChunk {
            name: name.clone(),
            at_ms,
            offset,
            total_bytes: packed.bytes,
            sha256: packed.sha256.to_vec(),
            data,
        };
        let answer = holder.session.ask(chunk, ANSWER).await;
        let answer = answer.map_err(|why| match why {
            NoAnswer::Late(_) => format!("its pool did not write any part of it within {} s", ANSWER.as_secs()),
            why => why.to_string(),
        })?;
        offset += length;
        if answer.bytes != offset || answer.done != (offset == packed.bytes) {
            return Err("the copy there differs from what was sent".to_owned());
        }
    }
    Ok(v1::CopyInfo {
        node: holder.session.node.to_string(),
        name,
        at_ms,
        bytes: packed.bytes,
    })
}
