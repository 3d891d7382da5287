use heeler_proto::v1;
use heeler_store::{AuditEntry, Tx};

use super::{App, AppError, share};
use crate::audit::{Deed, Head, Walk, write};
use crate::caller::caller;

/// Entries that are read at once.
pub(super) const PAGE: u32 = 1000;

impl App {
    /// Writes down what is being done, by whoever asked for it.
    pub(super) async fn audit(&self, tx: &mut Tx, action: &str, node: &str, detail: &str) -> Result<Head, AppError> {
        self.audit_of(tx, &caller(), action, node, detail).await
    }

    /// The same, where the name of who did it came with it.
    pub(super) async fn audit_of(
        &self,
        tx: &mut Tx,
        who: &str,
        action: &str,
        node: &str,
        detail: &str,
    ) -> Result<Head, AppError> {
        Ok(write(tx, Deed { action, node, detail }, who, self.now_ms()).await?)
    }

    /// Entries after that number; `limit` 0: the newest ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_entries(&self, request: &v1::ListAuditRequest) -> Result<v1::ListAuditReply, AppError> {
        let mut tx = self.store.read().await?;
        let (last, _) = tx.audit_head().await?;
        let limit = request.limit.clamp(1, PAGE);
        let after = if request.newest {
            last.saturating_sub(limit.into()).max(request.after)
        } else {
            request.after
        };
        let found = tx.audit(after, limit).await?.into_iter().map(wire);
        // What does not fit comes with the next question: after the last of these, or before the first.
        let entries = if request.newest {
            let mut entries = share::fitting(found.rev());
            entries.reverse();
            entries
        } else {
            share::fitting(found)
        };
        Ok(v1::ListAuditReply { entries, last })
    }

    /// Walks the whole log.
    ///
    /// # Errors
    /// When the database cannot be read; what is wrong with the log is an answer.
    pub async fn verify_audit(&self, request: v1::VerifyAuditRequest) -> Result<v1::VerifyAuditReply, AppError> {
        let known = request.known.into_iter().map(|known| {
            let hash = known.hash.try_into();
            let hash = hash.map_err(|_| AppError::Invalid("a head's hash has 32 bytes".into()))?;
            Ok((known.place, Head { seq: known.seq, hash }))
        });
        let mut walk = Walk::looking_for(known.collect::<Result<_, AppError>>()?);
        let mut tx = self.store.read().await?;
        let (mut after, mut broken) = (0, None);
        let mut restored = None;
        'log: loop {
            let page = tx.audit(after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                after = entry.seq;
                if entry.action == RESTORED {
                    restored = Some((entry.seq, entry.detail.clone()));
                }
                if let Err(found) = walk.step(&entry) {
                    broken = Some((entry.seq, found));
                    break 'log;
                }
            }
        }
        let head = match broken {
            Some(broken) => Err(broken),
            None => walk.end().map_err(|found| (after, found)),
        };
        let mut reply = v1::VerifyAuditReply {
            entries: after,
            ..v1::VerifyAuditReply::default()
        };
        match head {
            Ok(head) => reply.hash = head.hash.to_vec(),
            Err((at, found)) => {
                reply.broken_at = at.max(1);
                reply.broken = found.to_string();
            }
        }
        if let Some((seq, detail)) = restored {
            reply.restored_at = seq;
            reply.restored = detail;
        }
        Ok(reply)
    }
}

/// What the entry of a restore is called.
pub const RESTORED: &str = "restored";

fn wire(entry: AuditEntry) -> v1::AuditEntry {
    v1::AuditEntry {
        seq: entry.seq,
        at_ms: entry.at_ms,
        operator: entry.operator,
        action: entry.action,
        node: entry.node,
        detail: entry.detail,
        hash: entry.hash.to_vec(),
    }
}
