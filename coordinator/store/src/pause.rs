use crate::error::one;
use crate::{StoreError, Tx, signed};

/// A node is held still: nothing new is handed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// Why, for the person who reads it later.
    pub reason: String,
    /// Who did it: an operator's name, or "heeler" itself.
    pub operator: String,
    /// Since when.
    pub since_ms: u64,
    /// Until when; 0: until a person resumes it.
    pub until_ms: u64,
}

impl Pause {
    /// Whether it holds at that time.
    #[must_use]
    pub fn holds(&self, now_ms: u64) -> bool {
        self.until_ms == 0 || now_ms < self.until_ms
    }
}

impl Tx {
    /// Every pause on record, lapsed ones too, by node.
    pub async fn pauses(&mut self) -> Result<Vec<Pause>, StoreError> {
        let query = sqlx::query_as!(
            Pause,
            r#"SELECT node, reason, operator, since_ms as "since_ms: u64", until_ms as "until_ms: u64" FROM pauses
            ORDER BY node"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The node's pause, when it holds at `now_ms`.
    pub async fn pause_of(&mut self, node: &str, now_ms: u64) -> Result<Option<Pause>, StoreError> {
        let query = sqlx::query_as!(
            Pause,
            r#"SELECT node, reason, operator, since_ms as "since_ms: u64", until_ms as "until_ms: u64" FROM pauses
            WHERE node = ?"#,
            node
        );
        let pause = query.fetch_optional(&mut *self.tx).await?;
        Ok(pause.filter(|pause| pause.holds(now_ms)))
    }

    /// Holds a node still; in place of an earlier pause.
    pub async fn pause(&mut self, pause: &Pause) -> Result<(), StoreError> {
        let (since, until) = (signed(pause.since_ms), signed(pause.until_ms));
        let result = sqlx::query!(
            "INSERT INTO pauses (node, reason, operator, since_ms, until_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node)
             DO UPDATE SET reason = excluded.reason, operator = excluded.operator, since_ms = excluded.since_ms,
             until_ms = excluded.until_ms",
            pause.node,
            pause.reason,
            pause.operator,
            since,
            until
        )
        .execute(&mut *self.tx)
        .await?;
        one("pause", &result)
    }

    /// The node may change again; whether it was held.
    pub async fn resume(&mut self, node: &str) -> Result<bool, StoreError> {
        let result = sqlx::query!("DELETE FROM pauses WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(result.rows_affected() > 0)
    }
}
