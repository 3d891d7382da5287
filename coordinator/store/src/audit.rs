use crate::{Digest, Result, Sha256, Tx, signed};

/// One action of an operator, or of the coordinator itself. The database refuses to change or delete an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// 1 and up, without gaps.
    pub seq: u64,
    /// Unix milliseconds, by the coordinator's clock.
    pub at_ms: u64,
    /// Operator name; "coordinator" for what nobody asked for at that moment.
    pub operator: String,
    /// A few words: "node revoked".
    pub action: String,
    /// Node name; empty when the action concerns no node.
    pub node: String,
    /// One line for a person; may be empty.
    pub detail: String,
    /// Hash of the entry before; zeros for the first.
    pub previous: Digest,
    /// Hash over all fields above, which chains the entries.
    pub hash: Digest,
}

impl Tx {
    /// Number and hash of the last entry; 0 and zeros before the first.
    pub async fn audit_head(&mut self) -> Result<(u64, Digest)> {
        let query =
            sqlx::query!(r#"SELECT seq as "seq: u64", hash as "hash: Sha256" FROM audit ORDER BY seq DESC LIMIT 1"#);
        let row = query.fetch_optional(&mut *self.tx).await?;
        Ok(row.map_or((0, [0; 32]), |row| (row.seq, row.hash.0)))
    }

    /// Fails when the number is taken.
    pub async fn add_audit(&mut self, entry: &AuditEntry) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO audit (seq, at_ms, operator, action, node, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            signed(entry.seq),
            signed(entry.at_ms),
            entry.operator,
            entry.action,
            entry.node,
            entry.detail,
            entry.previous.as_slice(),
            entry.hash.as_slice()
        );
        self.one("new audit entry", query).await
    }

    /// Entries with a number above `after`, ascending, at most `limit`.
    pub async fn audit(&mut self, after: u64, limit: u32) -> Result<Vec<AuditEntry>> {
        let query = sqlx::query_as!(
            AuditEntry,
            r#"SELECT seq as "seq: u64", at_ms as "at_ms: u64", operator, action, node, detail,
            previous as "previous: Sha256", hash as "hash: Sha256"
            FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"#,
            signed(after),
            limit
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Unix milliseconds and operator of the newest entry of this action.
    pub async fn last_deed(&mut self, action: &str) -> Result<Option<(u64, String)>> {
        let row = sqlx::query!(
            r#"SELECT at_ms as "at_ms: u64", operator FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1"#,
            action
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.map(|row| (row.at_ms, row.operator)))
    }
}
