use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

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

struct Row {
    seq: u64,
    at_ms: u64,
    operator: String,
    action: String,
    node: String,
    detail: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

impl TryFrom<Row> for AuditEntry {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            at_ms: row.at_ms,
            operator: row.operator,
            action: row.action,
            node: row.node,
            detail: row.detail,
            previous: digest("audit.previous", row.previous)?,
            hash: digest("audit.hash", row.hash)?,
        })
    }
}

impl Tx {
    /// Number and hash of the last entry; 0 and zeros before the first.
    pub async fn audit_head(&mut self) -> Result<(u64, Digest), StoreError> {
        let row = sqlx::query!(r#"SELECT seq as "seq: u64", hash FROM audit ORDER BY seq DESC LIMIT 1"#)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map_or(Ok((0, [0; 32])), |row| Ok((row.seq, digest("audit.hash", row.hash)?)))
    }

    /// Fails when the number is taken.
    pub async fn add_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (seq, at_ms) = (signed(entry.seq), signed(entry.at_ms));
        let (previous, hash) = (entry.previous.as_slice(), entry.hash.as_slice());
        let result = sqlx::query!(
            "INSERT INTO audit (seq, at_ms, operator, action, node, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            seq,
            at_ms,
            entry.operator,
            entry.action,
            entry.node,
            entry.detail,
            previous,
            hash
        )
        .execute(&mut *self.tx)
        .await?;
        one("new audit entry", &result)
    }

    /// Entries with a number above `after`, ascending, at most `limit`.
    pub async fn audit(&mut self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let after = signed(after);
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT seq as "seq: u64", at_ms as "at_ms: u64", operator, action, node, detail, previous, hash
            FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"#,
            after,
            limit
        )
        .fetch_all(&mut *self.tx)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Unix milliseconds and operator of the newest entry of this action.
    pub async fn last_deed(&mut self, action: &str) -> Result<Option<(u64, String)>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT at_ms as "at_ms: u64", operator FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1"#,
            action
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.map(|row| (row.at_ms, row.operator)))
    }
}
