use crate::{Result, Tx};

impl Tx {
    /// A value about this coordinator: `cluster`, `epoch`, `heeler` (the version that used the database last).
    pub async fn meta(&mut self, key: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar!("SELECT value FROM meta WHERE key = ?", key)
            .fetch_optional(&mut *self.tx)
            .await?)
    }

    /// Sets or replaces a value.
    pub async fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value
        );
        self.one("meta", query).await
    }
}
