use crate::{StoreError, Tx, signed};

/// A stored event. Its numbers count over all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The coordinator's number: 1 and up, growing, with gaps where events were deleted.
    pub id: u64,
    /// Unix milliseconds, by the clock of the node, or of the coordinator for its own events.
    pub at_ms: u64,
    /// Node name; empty when it concerns no node.
    pub node: String,
    /// Task id; empty when it concerns no task.
    pub task_id: String,
    /// A word or two: "alarm", "pool", "drift".
    pub kind: String,
    /// What an alarm is about, as a word or two; empty for every other event. With the node and the subject it is the
    /// alarm's identity.
    pub alarm: String,
    /// Such as a pool's guid or a serial; empty when the alarm is about the node.
    pub subject: String,
    /// What happened, for a person.
    pub text: String,
    /// The agent's encoded `v1::Event`; None for the coordinator's own events and for one that is too large to keep.
    pub body: Option<Vec<u8>>,
}

/// An event to store; the database gives it its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEvent {
    /// When it happened, Unix milliseconds.
    pub at_ms: u64,
    /// Node name; empty when it concerns no node.
    pub node: String,
    /// Task id; empty when it concerns no task.
    pub task_id: String,
    /// A word or two: "alarm", "pool", "drift".
    pub kind: String,
    /// What an alarm is about, as a word or two; empty for every other event. With the node and the subject it is the
    /// alarm's identity.
    pub alarm: String,
    /// Such as a pool's guid or a serial; empty when the alarm is about the node.
    pub subject: String,
    /// What happened, for a person.
    pub text: String,
    /// The agent's encoded `v1::Event`; None for the coordinator's own events and for one that is too large to keep.
    pub body: Option<Vec<u8>>,
}

/// Which events [`Tx::events`] returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only events with a number above this one.
    pub after: u64,
    /// Only events of this task; empty: of every task and of none.
    pub task_id: String,
    /// Only events of this node; empty: of every node and of none.
    pub node: String,
    /// At most this many events.
    pub limit: u32,
}

/// An alarm that nobody has marked as seen. Repeats with the same node, kind and subject are one alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// As [`Event::alarm`].
    pub alarm: String,
    /// As [`Event::subject`].
    pub subject: String,
    /// What happened, for a person, by the newest repeat.
    pub text: String,
    /// Time of the newest repeat, Unix milliseconds.
    pub at_ms: u64,
    /// Number of the newest repeat.
    pub id: u64,
}

impl Tx {
    /// Stores the event and returns its number.
    pub async fn add_event(&mut self, event: &NewEvent) -> Result<u64, StoreError> {
        let at_ms = signed(event.at_ms);
        let result = sqlx::query!(
            "INSERT INTO events (at_ms, node, task_id, kind, alarm, subject, text, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            at_ms,
            event.node,
            event.task_id,
            event.kind,
            event.alarm,
            event.subject,
            event.text,
            event.body
        )
        .execute(&mut *self.tx)
        .await?;
        self.added = u64::try_from(result.last_insert_rowid()).map_err(|_| StoreError::Row {
            column: "events.id",
            found: result.last_insert_rowid().to_string(),
        })?;
        Ok(self.added)
    }

    /// The number of the last event that this transaction added; 0 when it added none.
    #[must_use]
    pub fn added_event(&self) -> u64 {
        self.added
    }

    /// The events that match, by number.
    pub async fn events(&mut self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let after = signed(query.after);
        let query = sqlx::query_as!(
            Event,
            r#"SELECT id as "id: u64", at_ms as "at_ms: u64", node, task_id, kind, alarm, subject, text, body
            FROM events
            WHERE id > ?1 AND (?2 = '' OR task_id = ?2) AND (?3 = '' OR node = ?3) ORDER BY id LIMIT ?4"#,
            after,
            query.task_id,
            query.node,
            query.limit
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Unseen alarms from `at_ms` (Unix milliseconds) on: one for each node, kind and subject, newest first.
    pub async fn alarms_since(&mut self, at_ms: u64) -> Result<Vec<Alarm>, StoreError> {
        let at_ms = signed(at_ms);
        // SQLite takes text and time from the row that has the maximum (sqlite.org/lang_select.html#bareagg).
        let query = sqlx::query_as!(
            Alarm,
            r#"SELECT node as "node!", alarm as "alarm!", subject as "subject!", text as "text!",
            at_ms as "at_ms!: u64", max(id) as "id!: u64" FROM events WHERE kind = 'alarm' AND at_ms >= ?
            AND NOT EXISTS (SELECT 1 FROM seen_alarms AS seen WHERE seen.node = events.node AND seen.alarm = events.alarm
            AND seen.subject = events.subject AND seen.event >= events.id) GROUP BY node, alarm, subject ORDER BY 6 DESC"#,
            at_ms
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The number of the newest event that was ever stored, deleted or not; 0 when there was none.
    pub async fn last_event(&mut self) -> Result<u64, StoreError> {
        // The query macro cannot check SQLite's own table.
        let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }
}
