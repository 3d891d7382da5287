use crate::error::one;
use crate::{StoreError, Tx, signed};

/// A person who may sign consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// As consents name them.
    pub name: String,
    /// SubjectPublicKeyInfo.
    pub public_key_pem: String,
}

/// The same, with what is kept about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRecord {
    /// As consents name them.
    pub name: String,
    /// SubjectPublicKeyInfo.
    pub public_key_pem: String,
    /// Unix milliseconds.
    pub added_at_ms: u64,
    /// Who said so; empty for the one whom `heeler init` made.
    pub added_by: String,
    /// 0: not revoked.
    pub revoked_at_ms: u64,
    /// Who said so.
    pub revoked_by: String,
    /// Of the certificate for remote access; 0 when there is none.
    pub certificate_expires_ms: u64,
}

impl Tx {
    /// Who is not revoked, by name.
    pub async fn operators(&mut self) -> Result<Vec<Operator>, StoreError> {
        let query = sqlx::query_as!(
            Operator,
            "SELECT name, public_key_pem FROM operators WHERE revoked_at_ms = 0 ORDER BY name"
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Everybody there ever was, by name.
    pub async fn operator_records(&mut self) -> Result<Vec<OperatorRecord>, StoreError> {
        let query = sqlx::query_as!(
            OperatorRecord,
            r#"SELECT name, public_key_pem, added_at_ms as "added_at_ms: u64", added_by,
            revoked_at_ms as "revoked_at_ms: u64", revoked_by,
            certificate_expires_ms as "certificate_expires_ms: u64" FROM operators ORDER BY name"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The one `heeler init` makes. Fails when the name is taken.
    pub async fn add_operator(&mut self, operator: &Operator, now_ms: u64) -> Result<(), StoreError> {
        self.add_operator_by(operator, "", now_ms).await
    }

    /// Somebody says that this one may consent, too. Fails when the name is taken, by a revoked one also.
    pub async fn add_operator_by(&mut self, operator: &Operator, by: &str, now_ms: u64) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        let result = sqlx::query!(
            "INSERT INTO operators (name, public_key_pem, added_at_ms, added_by) VALUES (?, ?, ?, ?)",
            operator.name,
            operator.public_key_pem,
            now_ms,
            by
        )
        .execute(&mut *self.tx)
        .await?;
        one("operator", &result)
    }

    /// For good.
    pub async fn revoke_operator(&mut self, name: &str, by: &str, now_ms: u64) -> Result<(), StoreError> {
        let now_ms = signed(now_ms);
        let result = sqlx::query!(
            "UPDATE operators SET revoked_at_ms = ?, revoked_by = ? WHERE name = ? AND revoked_at_ms = 0",
            now_ms,
            by,
            name
        )
        .execute(&mut *self.tx)
        .await?;
        one("operator", &result)
    }

    /// Until when the operator's certificate for remote access holds.
    pub async fn set_operator_certificate(&mut self, name: &str, expires_ms: u64) -> Result<(), StoreError> {
        let expires_ms = signed(expires_ms);
        let result = sqlx::query!(
            "UPDATE operators SET certificate_expires_ms = ? WHERE name = ?",
            expires_ms,
            name
        )
        .execute(&mut *self.tx)
        .await?;
        one("operator", &result)
    }
}
