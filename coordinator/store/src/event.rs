use crate::{StoreError, Tx, signed};

/// Something that happened, numbered over all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The coordinator's number: 1 and up, growing.
    pub id: u64,
    /// When, by the clock of whoever saw it.
    pub at_ms: u64,
    /// Empty for what concerns no node.
    pub node: String,
    /// Empty for what concerns no task.
    pub task_id: String,
    /// What kind.
    pub kind: String,
    /// In words.
    pub text: String,
    /// The agent's own event, encoded; None for the coordinator's.
    pub body: Option<Vec<u8>>,
}

/// Something that has just happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEvent {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// Empty for what concerns no node.
    pub node: String,
    /// Empty for what concerns no task.
    pub task_id: String,
    /// What kind.
    pub kind: String,
    /// In words.
    pub text: String,
    /// The agent's own event, encoded.
    pub body: Option<Vec<u8>>,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Later than this one.
    pub after: u64,
    /// Of this task; empty: of all.
    pub task_id: String,
    /// Of this node; empty: of all.
    pub node: String,
    /// At most so many.
    pub limit: u32,
}

/// Something that a person should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// What.
    pub text: String,
    /// When last, Unix milliseconds.
    pub at_ms: u64,
}

impl Tx {
    /// Stores it and returns its number.
    pub async fn add_event(&mut self, event: &NewEvent) -> Result<u64, StoreError> {
        let at_ms = signed(event.at_ms);
        let result = sqlx::query!(
            "INSERT INTO events (at_ms, node, task_id, kind, text, body) VALUES (?, ?, ?, ?, ?, ?)",
            at_ms,
            event.node,
            event.task_id,
            event.kind,
            event.text,
            event.body
        )
        .execute(&mut *self.tx)
        .await?;
        u64::try_from(result.last_insert_rowid()).map_err(|_| StoreError::Row {
            column: "events.id",
            found: result.last_insert_rowid().to_string(),
        })
    }

    /// In their order.
    pub async fn events(&mut self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let after = signed(query.after);
        let query = sqlx::query_as!(
            Event,
            r#"SELECT id as "id: u64", at_ms as "at_ms: u64", node, task_id, kind, text, body FROM events
            WHERE id > ?1 AND (?2 = '' OR task_id = ?2) AND (?3 = '' OR node = ?3) ORDER BY id LIMIT ?4"#,
            after,
            query.task_id,
            query.node,
            query.limit
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Alarms from that time on, Unix milliseconds, that no person has seen, the newest of each node and text, the newest first.
    pub async fn alarms_since(&mut self, at_ms: u64) -> Result<Vec<Alarm>, StoreError> {
        let at_ms = signed(at_ms);
        let query = sqlx::query_as!(
            Alarm,
            r#"SELECT node as "node!", text as "text!", max(at_ms) as "at_ms!: u64" FROM events WHERE kind = 'alarm' AND at_ms >= ?
            AND NOT EXISTS (SELECT 1 FROM seen_alarms AS seen WHERE seen.node = events.node AND seen.text = events.text
            AND seen.event >= events.id) GROUP BY node, text ORDER BY 3 DESC"#,
            at_ms
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The number of the last one that was ever stored, kept or not; 0 when there was none.
    pub async fn last_event(&mut self) -> Result<u64, StoreError> {
        // SQLite's own table, which the macro that checks queries cannot describe.
        let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }
}
