use crate::error::one;
use crate::{StoreError, Tx, signed};

/// A person who may sign consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Login name.
    pub name: String,
    /// SubjectPublicKeyInfo.
    pub public_key_pem: String,
}

impl Tx {
    /// By name.
    pub async fn operators(&mut self) -> Result<Vec<Operator>, StoreError> {
        let query = sqlx::query_as!(Operator, "SELECT name, public_key_pem FROM operators ORDER BY name");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Fails when the name is taken.
    pub async fn add_operator(&mut self, operator: &Operator, now_ms: u64) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        let result = sqlx::query!(
            "INSERT INTO operators (name, public_key_pem, added_at_ms) VALUES (?, ?, ?)",
            operator.name,
            operator.public_key_pem,
            now_ms
        )
        .execute(&mut *self.tx)
        .await?;
        one("operator", &result)
    }
}
