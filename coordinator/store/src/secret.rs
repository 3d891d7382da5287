use crate::{Result, Tx, signed};

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
    pub async fn secrets(&mut self) -> Result<Vec<Secret>> {
        let query = sqlx::query_as!(
            Secret,
            r#"SELECT name, sealed, set_at_ms as "set_at_ms: u64", set_by FROM secrets ORDER BY name"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Sets or replaces a secret. Returns whether it replaced one.
    pub async fn set_secret(&mut self, secret: &Secret) -> Result<bool> {
        let replaced = self.remove_secret(&secret.name).await?;
        let query = sqlx::query!(
            "INSERT INTO secrets (name, sealed, set_at_ms, set_by) VALUES (?, ?, ?, ?)",
            secret.name,
            secret.sealed,
            signed(secret.set_at_ms),
            secret.set_by
        );
        self.one("secret", query).await?;
        Ok(replaced)
    }

    /// Deletes a secret. False when there was none of that name.
    pub async fn remove_secret(&mut self, name: &str) -> Result<bool> {
        Ok(self
            .run(sqlx::query!("DELETE FROM secrets WHERE name = ?", name))
            .await?
            == 1)
    }
}
