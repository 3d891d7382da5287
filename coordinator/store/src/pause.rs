use crate::{Result, Tx, signed};

/// A paused node: it gets no new tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// The person's text; may be empty.
    pub reason: String,
    /// Operator name, or "coordinator" for a pause that it set itself.
    pub operator: String,
    /// Start, Unix milliseconds.
    pub since_ms: u64,
    /// End, Unix milliseconds; 0: until a person resumes the node.
    pub until_ms: u64,
}

impl Pause {
    /// Whether the pause is in force at `now_ms`.
    pub fn holds(&self, now_ms: u64) -> bool {
        self.until_ms == 0 || now_ms < self.until_ms
    }
}

impl Tx {
    /// Every pause on record, also those that have ended, by node.
    pub async fn pauses(&mut self) -> Result<Vec<Pause>> {
        let query = sqlx::query_as!(
            Pause,
            r#"SELECT node, reason, operator, since_ms as "since_ms: u64", until_ms as "until_ms: u64" FROM pauses
            ORDER BY node"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The node's pause, if it is in force at `now_ms`.
    pub async fn pause_of(&mut self, node: &str, now_ms: u64) -> Result<Option<Pause>> {
        let query = sqlx::query_as!(
            Pause,
            r#"SELECT node, reason, operator, since_ms as "since_ms: u64", until_ms as "until_ms: u64" FROM pauses
            WHERE node = ?"#,
            node
        );
        let pause = query.fetch_optional(&mut *self.tx).await?;
        Ok(pause.filter(|pause| pause.holds(now_ms)))
    }

    /// Pauses a node; replaces an earlier pause.
    pub async fn pause(&mut self, pause: &Pause) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO pauses (node, reason, operator, since_ms, until_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node)
             DO UPDATE SET reason = excluded.reason, operator = excluded.operator, since_ms = excluded.since_ms,
             until_ms = excluded.until_ms",
            pause.node,
            pause.reason,
            pause.operator,
            signed(pause.since_ms),
            signed(pause.until_ms)
        );
        self.one("pause", query).await
    }

    /// Ends the node's pause. False when there was none on record.
    pub async fn resume(&mut self, node: &str) -> Result<bool> {
        Ok(self
            .run(sqlx::query!("DELETE FROM pauses WHERE node = ?", node))
            .await?
            > 0)
    }
}
