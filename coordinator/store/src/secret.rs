use crate::error::one;
use crate::{StoreError, Tx, signed};

/// A secret that heeler.toml refers to by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Name as in heeler.toml.
    pub name: String,
    /// The value, encrypted with age to the key in the state folder.
    pub sealed: Vec<u8>,
    /// When it was set, Unix milliseconds.
    pub set_at_ms: u64,
    /// Operator name, as in the audit log.
    pub set_by: String,
}

impl Tx {
    /// All secrets, by name.
    pub async fn secrets(&mut self) -> Result<Vec<Secret>, StoreError> {
        let query = sqlx::query_as!(
            Secret,
            r#"SELECT name, sealed, set_at_ms as "set_at_ms: u64", set_by FROM secrets ORDER BY name"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Sets or replaces a secret. Returns whether it replaced one.
    pub async fn set_secret(&mut self, secret: &Secret) -> Result<bool, StoreError> {
        let replaced = self.remove_secret(&secret.name).await?;
        let set_at_ms = signed(secret.set_at_ms);
        let result = sqlx::query!(
            "INSERT INTO secrets (name, sealed, set_at_ms, set_by) VALUES (?, ?, ?, ?)",
            secret.name,
            secret.sealed,
            set_at_ms,
            secret.set_by
        )
        .execute(&mut *self.tx)
        .await?;
        one("secret", &result)?;
        Ok(replaced)
    }

    /// Deletes a secret. False when there was none of that name.
    pub async fn remove_secret(&mut self, name: &str) -> Result<bool, StoreError> {
        let result = sqlx::query!("DELETE FROM secrets WHERE name = ?", name)
            .execute(&mut *self.tx)
            .await?;
        Ok(result.rows_affected() == 1)
    }
}
