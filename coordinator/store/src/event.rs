use crate::{Result, Tx, signed};

/// An event. Its numbers count over all nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The coordinator's number: 1 and up, growing, with gaps where events were deleted. 0 before it is stored.
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
    /// Stores the event under a new number, and returns that.
    pub async fn add_event(&mut self, event: &Event) -> Result<u64> {
        let query = sqlx::query!(
            "INSERT INTO events (at_ms, node, task_id, kind, alarm, subject, text, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            signed(event.at_ms),
            event.node,
            event.task_id,
            event.kind,
            event.alarm,
            event.subject,
            event.text,
            event.body
        );
        self.added = self.insert("event", query).await?;
        Ok(self.added)
    }

    /// The number of the last event that this transaction added; 0 when it added none.
    pub fn added_event(&self) -> u64 {
        self.added
    }

    /// The events that match, by number.
    pub async fn events(&mut self, query: &EventQuery) -> Result<Vec<Event>> {
        let query = sqlx::query_as!(
            Event,
            r#"SELECT id as "id: u64", at_ms as "at_ms: u64", node, task_id, kind, alarm, subject, text, body
            FROM events
            WHERE id > ?1 AND (?2 = '' OR task_id = ?2) AND (?3 = '' OR node = ?3) ORDER BY id LIMIT ?4"#,
            signed(query.after),
            query.task_id,
            query.node,
            query.limit
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Unseen alarms from `at_ms` (Unix milliseconds) on: one for each node, kind and subject, newest first.
    pub async fn alarms_since(&mut self, at_ms: u64) -> Result<Vec<Alarm>> {
        // SQLite takes text and time from the row that has the maximum (sqlite.org/lang_select.html#bareagg).
        let query = sqlx::query_as!(
            Alarm,
            r#"SELECT node as "node!", alarm as "alarm!", subject as "subject!", text as "text!",
            at_ms as "at_ms!: u64", max(id) as "id!: u64" FROM events WHERE kind = 'alarm' AND at_ms >= ?
            AND NOT EXISTS (SELECT 1 FROM seen_alarms AS seen WHERE seen.node = events.node AND seen.alarm = events.alarm
            AND seen.subject = events.subject AND seen.event >= events.id) GROUP BY node, alarm, subject ORDER BY 6 DESC"#,
            signed(at_ms)
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The number of the newest event that was ever stored, deleted or not; 0 when there was none.
    pub async fn last_event(&mut self) -> Result<u64> {
        // The query macro cannot check SQLite's own table.
        let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }
}
