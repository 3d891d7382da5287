use crate::error::one;
use crate::{StoreError, Tx, signed};

impl Tx {
    /// Takes a node off the record: nobody sees it any more, and nobody with its key gets in. Its history stays, and its
    /// hostid, for the day when a node of that name comes again.
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

    /// A node of that name is taken on again; whether one was removed.
    pub async fn bring_back(&mut self, node: &str) -> Result<bool, StoreError> {
        let result = sqlx::query!("DELETE FROM removed WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// A pool of ours is gone for good, and off the record: its serials are free.
    pub async fn forget_own_pool(&mut self, guid: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM legs WHERE guid = ?", guid)
            .execute(&mut *self.tx)
            .await?;
        let result = sqlx::query!("DELETE FROM pools WHERE guid = ? AND ours = 1", guid)
            .execute(&mut *self.tx)
            .await?;
        one("pool to forget", &result)
    }

    /// A person has seen the alarms that stand now, of one node or of all (None); how many.
    pub async fn see_alarms(&mut self, node: Option<&str>, operator: &str, now_ms: u64) -> Result<u64, StoreError> {
        let now_ms = signed(now_ms);
        let result = sqlx::query!(
            "INSERT INTO seen_alarms (node, text, operator, at_ms, event)
             SELECT node, text, ?1, ?2, max(id) FROM events WHERE kind = 'alarm' AND (?3 IS NULL OR node = ?3)
             GROUP BY node, text
             ON CONFLICT (node, text) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            operator,
            now_ms,
            node
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(result.rows_affected())
    }

    /// An alarm of a node needs nobody to look into it from that time on.
    pub async fn see_alarm(&mut self, node: &str, text: &str, by: &str, now_ms: u64) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        sqlx::query!(
            "INSERT INTO seen_alarms (node, text, operator, at_ms, event)
             VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM events))
             ON CONFLICT (node, text) DO UPDATE SET operator = excluded.operator, at_ms = excluded.at_ms,
             event = excluded.event",
            node,
            text,
            by,
            now_ms
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// The alarms that somebody else than `not_by` has seen, and whose text begins so, as node and text.
    pub async fn seen_alarms(&mut self, begin: &str, not_by: &str) -> Result<Vec<(String, String)>, StoreError> {
        let query = sqlx::query!(
            "SELECT node, text FROM seen_alarms WHERE substr(text, 1, length(?1)) = ?1 AND operator != ?2",
            begin,
            not_by
        );
        let seen = query.fetch_all(&mut *self.tx).await?;
        Ok(seen.into_iter().map(|seen| (seen.node, seen.text)).collect())
    }
}
