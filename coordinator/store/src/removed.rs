use crate::error::one;
use crate::{StoreError, Tx, signed};

impl Tx {
    /// Removes a node: lists no longer show it, and its key is shut out. Its history and hostid stay, for a node of
    /// the same name that is added later.
    pub async fn remove_node(&mut self, node: &str, operator: &str, now_ms: u64) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        self.forget_tokens(node).await?;
        self.forget_applied(node).await?;
        self.forget_drift(node).await?;
        self.resume(node).await?;
        sqlx::query!("DELETE FROM released WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        sqlx::query!("DELETE FROM disks WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        let result = sqlx::query!(
            "UPDATE nodes SET state = 'new', key_sha256 = NULL, host_key = '', hardware_serial = '', facts = NULL,
             facts_at_ms = 0, certificate_expires_ms = 0 WHERE name = ?",
            node
        )
        .execute(&mut *self.tx)
        .await?;
        one("node to remove", &result)?;
        let result = sqlx::query!(
            "INSERT INTO removed (node, operator, at_ms) VALUES (?, ?, ?)",
            node,
            operator,
            now_ms
        )
        .execute(&mut *self.tx)
        .await?;
        one("removed node", &result)
    }

    /// Takes a removed node back. False when no node of that name was removed.
    pub async fn bring_back(&mut self, node: &str) -> Result<bool, StoreError> {
        let result = sqlx::query!("DELETE FROM removed WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// Deletes a pool of ours from the record: its disks can be used again. Fails when the pool is not ours or not on
    /// record.
    pub async fn forget_own_pool(&mut self, guid: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM legs WHERE guid = ?", guid)
            .execute(&mut *self.tx)
            .await?;
        let result = sqlx::query!("DELETE FROM pools WHERE guid = ? AND ours = 1", guid)
            .execute(&mut *self.tx)
            .await?;
        one("pool to forget", &result)
    }

    /// Marks the alarms of one node, or of all (None), as seen. Returns how many, counted by node, kind and subject.
    pub async fn see_alarms(&mut self, node: Option<&str>, operator: &str, now_ms: u64) -> Result<u64, StoreError> {
        let now_ms = signed(now_ms);
        let result = sqlx::query!(
            "INSERT INTO seen_alarms (node, alarm, subject, operator, at_ms, event)
             SELECT node, alarm, subject, ?1, ?2, max(id) FROM events WHERE kind = 'alarm' AND (?3 IS NULL OR node = ?3)
             GROUP BY node, alarm, subject
             ON CONFLICT (node, alarm, subject) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            operator,
            now_ms,
            node
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(result.rows_affected())
    }

    /// Marks one alarm of a node as seen, for all its repeats until now.
    pub async fn see_alarm(
        &mut self,
        (node, alarm, subject): (&str, &str, &str),
        by: &str,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        sqlx::query!(
            "INSERT INTO seen_alarms (node, alarm, subject, operator, at_ms, event)
             VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM events))
             ON CONFLICT (node, alarm, subject) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            node,
            alarm,
            subject,
            by,
            now_ms
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Node and subject of seen alarms of one kind, except those that `not_by` marked.
    pub async fn seen_alarms(&mut self, alarm: &str, not_by: &str) -> Result<Vec<(String, String)>, StoreError> {
        let query = sqlx::query!(
            "SELECT node, subject FROM seen_alarms WHERE alarm = ? AND operator != ?",
            alarm,
            not_by
        );
        let seen = query.fetch_all(&mut *self.tx).await?;
        Ok(seen.into_iter().map(|seen| (seen.node, seen.subject)).collect())
    }
}
