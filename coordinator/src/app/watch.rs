//! The audit log is looked at as long as the coordinator runs: a person sees that it is broken without asking.

use heeler_store::StoreError;
use tokio::sync::Mutex;

use super::audit::PAGE;
use super::{App, AppError};
use crate::audit::{Break, Walk};

/// As often all of it is walked once more.
const ANEW_MS: u64 = 24 * 60 * 60 * 1000;

/// How far it was walked, and what is wrong with it.
pub(super) type Watch = Mutex<Watched>;

#[derive(Default)]
pub(super) struct Watched {
    since_ms: u64,
    walk: Walk,
    broken: Option<String>,
}

impl App {
    /// What is wrong with the audit log. Walks what was written since the last look; all of it at the first one, and once
    /// a day. Never called within a transaction: it opens its own.
    pub(super) async fn audit_is_broken(&self) -> Result<Option<String>, AppError> {
        let mut watched = self.watched.lock().await;
        if self.now_ms().saturating_sub(watched.since_ms) >= ANEW_MS {
            *watched = Watched {
                since_ms: self.now_ms(),
                ..Watched::default()
            };
        }
        if watched.broken.is_none() {
            watched.broken = match self.walk_on(&mut watched.walk).await {
                Ok(found) => found.map(|found| found.to_string()),
                Err(AppError::Store(error @ StoreError::Row { .. })) => Some(error.to_string()),
                Err(error) => return Err(error),
            };
        }
        Ok(watched.broken.clone())
    }

    async fn walk_on(&self, walk: &mut Walk) -> Result<Option<Break>, AppError> {
        let mut tx = self.store.read().await?;
        let (last, hash) = tx.audit_head().await?;
        let seen = walk.head();
        let place = || "the coordinator, since it runs,".to_owned();
        if last < seen.seq {
            let (place, seq) = (place(), seen.seq);
            return Ok(Some(Break::Cut { place, seq, last }));
        }
        if last == seen.seq && hash != seen.hash {
            let (place, seq) = (place(), seen.seq);
            return Ok(Some(Break::Rewritten { place, seq }));
        }
        loop {
            let page = tx.audit(walk.head().seq, PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            for entry in page {
                if let Err(found) = walk.step(&entry) {
                    return Ok(Some(found));
                }
            }
            tokio::task::yield_now().await;
        }
    }
}
