use crate::error::one;
use crate::{StoreError, Tx};

impl Tx {
    /// A value about this coordinator: `cluster`, `epoch`, `heeler` (the version that used the database last).
    pub async fn meta(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar!("SELECT value FROM meta WHERE key = ?", key)
            .fetch_optional(&mut *self.tx)
            .await?)
    }

    /// Sets or replaces a value.
    pub async fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let result = sqlx::query!(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value
        )
        .execute(&mut *self.tx)
        .await?;
        one("meta", &result)
    }
}
