use crate::{PAGE_BYTES, Result, Store, Tx, signed};

impl Store {
    /// Bytes of the database in use, without its free pages. Fails when the database cannot be read.
    pub async fn used_bytes(&self) -> Result<u64> {
        let mut tx = self.pool.acquire().await?;
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *tx).await?;
        let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut *tx).await?;
        Ok(u64::try_from(pages - free).unwrap_or(0) * PAGE_BYTES)
    }

    /// Returns up to 2,000 free pages to the file system. False when there were none. Fails when the database cannot be
    /// written.
    pub async fn give_back(&self) -> Result<bool> {
        let _turn = self.durable.turn().await;
        let free: i64 = sqlx::query_scalar("PRAGMA freelist_count")
            .fetch_one(&self.writer)
            .await?;
        if free == 0 {
            return Ok(false);
        }
        sqlx::raw_sql("PRAGMA incremental_vacuum(2000)")
            .execute(&self.writer)
            .await?;
        Ok(true)
    }
}

impl Tx {
    /// Deletes the oldest events, about `batch` at a time, but no alarms from `alarms_from_ms` on. Returns how many.
    pub async fn drop_events(&mut self, batch: u32, alarms_from_ms: u64) -> Result<u64> {
        let first = sqlx::query_scalar!(
            r#"SELECT id as "id: i64" FROM events WHERE NOT (kind = 'alarm' AND at_ms >= ?) ORDER BY id LIMIT 1 OFFSET ?"#,
            signed(alarms_from_ms),
            batch
        );
        let before = first.fetch_optional(&mut *self.tx).await?.unwrap_or(i64::MAX);
        self.run(sqlx::query!(
            "DELETE FROM events WHERE id < ? AND NOT (kind = 'alarm' AND at_ms >= ?)",
            before,
            signed(alarms_from_ms)
        ))
        .await
    }

    /// Deletes the node's tasks that ended before `before_ms`, with their consents, at most `batch` of them; the
    /// newest `kept` tasks stay. Returns how many.
    pub async fn drop_tasks(&mut self, node: &str, before_ms: u64, kept: u32, batch: u32) -> Result<u64> {
        let old = sqlx::query_scalar!(
            "SELECT id FROM tasks WHERE node = ? AND finished_at_ms > 0 AND finished_at_ms < ?
             ORDER BY created_at_ms DESC LIMIT ? OFFSET ?",
            node,
            signed(before_ms),
            batch,
            kept
        )
        .fetch_all(&mut *self.tx)
        .await?;
        for id in &old {
            self.run(sqlx::query!("DELETE FROM consents WHERE task_id = ?", id))
                .await?;
            self.run(sqlx::query!("DELETE FROM tasks WHERE id = ?", id)).await?;
        }
        Ok(old.len() as u64)
    }

    /// Deletes operations that ended before `before_ms` and have no task left, and grants of the lease freed before it.
    pub async fn drop_operations(&mut self, before_ms: u64) -> Result<()> {
        self.run(sqlx::query!(
            "DELETE FROM lease WHERE freed_at_ms < ?",
            signed(before_ms)
        ))
        .await?;
        self.run(sqlx::query!(
            "DELETE FROM operations WHERE state <> 'open' AND changed_at_ms < ?
             AND NOT EXISTS (SELECT 1 FROM tasks WHERE operation = operations.id)
             AND NOT EXISTS (SELECT 1 FROM lease WHERE operation = operations.id)",
            signed(before_ms)
        ))
        .await
        .map(drop)
    }
}
