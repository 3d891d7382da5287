use heeler_proto::v1;
use heeler_store::{AuditEntry, Tx};

use super::{App, AppError, Result, share};
use crate::audit::{Head, Walk, write};

/// Most entries in one page.
pub(super) const PAGE: u32 = 1000;

impl App {
    /// Adds an entry in the name of `who`: the caller's, or [`super::who::COORDINATOR`].
    pub(super) async fn audit(&self, tx: &mut Tx, who: &str, action: &str, node: &str, detail: &str) -> Result<Head> {
        Ok(write(tx, who, (action, node, detail), self.now_ms()).await?)
    }

    /// At most `limit` entries with a number above `after`; with `newest`, the newest ones. Fewer when the reply would
    /// be too large. Fails when the database cannot be read.
    pub async fn audit_entries(&self, request: &v1::ListAuditRequest) -> Result<v1::ListAuditReply> {
        let mut tx = self.store.read().await?;
        let (last, _) = tx.audit_head().await?;
        let limit = request.limit.clamp(1, PAGE);
        let after = if request.newest {
            last.saturating_sub(limit.into()).max(request.after)
        } else {
            request.after
        };
        let found = tx.audit(after, limit).await?.into_iter().map(wire);
        // The client asks again for the entries that do not fit: after the last of these, or before the first.
        let entries = if request.newest {
            let mut entries = share::fitting(found.rev());
            entries.reverse();
            entries
        } else {
            share::fitting(found)
        };
        Ok(v1::ListAuditReply { entries, last })
    }

    /// Checks the whole log. A fault in the log is part of the reply. Fails when the database cannot be read, or a
    /// known head has no 32-byte hash.
    pub async fn verify_audit(&self, request: v1::VerifyAuditRequest) -> Result<v1::VerifyAuditReply> {
        let known = request.known.into_iter().map(|known| {
            let hash = known.hash.try_into();
            let hash = hash.map_err(|_| AppError::Invalid("a head's hash has 32 bytes".into()))?;
            Ok((known.place, Head { seq: known.seq, hash }))
        });
        let mut walk = Walk::looking_for(known.collect::<Result<_>>()?);
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
                // 0 means intact; an empty log can be cut off too.
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

/// The action of the entry that a restore writes.
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
