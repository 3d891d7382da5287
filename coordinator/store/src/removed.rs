use crate::{Result, Tx, signed};

/// An alarm that was marked as seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAlarm {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// What it is about, such as the GUID of a pool.
    pub subject: String,
    /// When it was marked, Unix milliseconds.
    pub at_ms: u64,
}

impl Tx {
    /// Removes a node: lists no longer show it, and its key is shut out. Its history and hostid stay, for a node of
    /// the same name that is added later.
    pub async fn remove_node(&mut self, node: &str, operator: &str, now_ms: u64) -> Result<()> {
        self.forget_tokens(node).await?;
        self.forget_applied(node).await?;
        self.forget_drift(node).await?;
        self.resume(node).await?;
        self.run(sqlx::query!("DELETE FROM released WHERE node = ?", node))
            .await?;
        self.run(sqlx::query!("DELETE FROM disks WHERE node = ?", node)).await?;
        let query = sqlx::query!(
            "UPDATE nodes SET state = 'new', key_sha256 = NULL, host_key = '', hardware_serial = '', facts = NULL,
             facts_at_ms = 0, certificate_expires_ms = 0 WHERE name = ?",
            node
        );
        self.one("node to remove", query).await?;
        let query = sqlx::query!(
            "INSERT INTO removed (node, operator, at_ms) VALUES (?, ?, ?)",
            node,
            operator,
            signed(now_ms)
        );
        self.one("removed node", query).await
    }

    /// Takes a removed node back. False when no node of that name was removed.
    pub async fn bring_back(&mut self, node: &str) -> Result<bool> {
        Ok(self
            .run(sqlx::query!("DELETE FROM removed WHERE node = ?", node))
            .await?
            > 0)
    }

    /// Deletes a pool of ours from the record: its disks can be used again. Fails when the pool is not ours or not on
    /// record.
    pub async fn forget_own_pool(&mut self, guid: &str) -> Result<()> {
        self.run(sqlx::query!("DELETE FROM legs WHERE guid = ?", guid)).await?;
        let query = sqlx::query!("DELETE FROM pools WHERE guid = ? AND ours = 1", guid);
        self.one("pool to forget", query).await
    }

    /// Marks the alarms of one node, or of all (None), as seen. Returns how many, counted by node, kind and subject.
    pub async fn see_alarms(&mut self, node: Option<&str>, operator: &str, now_ms: u64) -> Result<u64> {
        self.run(sqlx::query!(
            "INSERT INTO seen_alarms (node, alarm, subject, operator, at_ms, event)
             SELECT node, alarm, subject, ?1, ?2, max(id) FROM events WHERE kind = 'alarm' AND (?3 IS NULL OR node = ?3)
             GROUP BY node, alarm, subject
             ON CONFLICT (node, alarm, subject) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            operator,
            signed(now_ms),
            node
        ))
        .await
    }

    /// Marks one alarm of a node as seen, for all its repeats until now.
    pub async fn see_alarm(&mut self, (node, alarm, subject): (&str, &str, &str), by: &str, now_ms: u64) -> Result<()> {
        sqlx::query!(
            "INSERT INTO seen_alarms (node, alarm, subject, operator, at_ms, event)
             VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM events))
             ON CONFLICT (node, alarm, subject) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            node,
            alarm,
            subject,
            by,
            signed(now_ms)
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Seen alarms of one kind, except those that `not_by` marked.
    pub async fn seen_alarms(&mut self, alarm: &str, not_by: &str) -> Result<Vec<SeenAlarm>> {
        let query = sqlx::query_as!(
            SeenAlarm,
            r#"SELECT node, subject, at_ms as "at_ms: u64" FROM seen_alarms WHERE alarm = ? AND operator != ?"#,
            alarm,
            not_by
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }
}
