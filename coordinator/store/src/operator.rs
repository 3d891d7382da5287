use crate::{Result, Tx, signed};

/// A person whose signature the nodes accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Operator name: letters, digits and `._@-`, at most 64.
    pub name: String,
    /// Public key, PEM (SubjectPublicKeyInfo).
    pub public_key_pem: String,
}

/// Everything on record about an operator, revoked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRecord {
    /// Operator name: letters, digits and `._@-`, at most 64.
    pub name: String,
    /// Public key, PEM (SubjectPublicKeyInfo).
    pub public_key_pem: String,
    /// When they were added, Unix milliseconds.
    pub added_at_ms: u64,
    /// Operator who signed for them; empty for the first one, added by `heeler init`.
    pub added_by: String,
    /// When they were revoked, Unix milliseconds; 0: not revoked.
    pub revoked_at_ms: u64,
    /// Operator who revoked them; empty while not revoked.
    pub revoked_by: String,
    /// End of the certificate for remote access, Unix milliseconds; 0: they have none.
    pub certificate_expires_ms: u64,
}

impl Tx {
    /// Operators who are not revoked, by name.
    pub async fn operators(&mut self) -> Result<Vec<Operator>> {
        let query = sqlx::query_as!(
            Operator,
            "SELECT name, public_key_pem FROM operators WHERE revoked_at_ms = 0 ORDER BY name"
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// All operators, revoked ones too, by name.
    pub async fn operator_records(&mut self) -> Result<Vec<OperatorRecord>> {
        let query = sqlx::query_as!(
            OperatorRecord,
            r#"SELECT name, public_key_pem, added_at_ms as "added_at_ms: u64", added_by,
            revoked_at_ms as "revoked_at_ms: u64", revoked_by,
            certificate_expires_ms as "certificate_expires_ms: u64" FROM operators ORDER BY name"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Adds the first operator, for `heeler init`. Fails when the name is taken.
    pub async fn add_operator(&mut self, operator: &Operator, now_ms: u64) -> Result<()> {
        self.add_operator_by(operator, "", now_ms).await
    }

    /// Adds an operator for whom the operator `by` has signed. Fails when the name is taken, by a revoked one too.
    pub async fn add_operator_by(&mut self, operator: &Operator, by: &str, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO operators (name, public_key_pem, added_at_ms, added_by) VALUES (?, ?, ?, ?)",
            operator.name,
            operator.public_key_pem,
            signed(now_ms),
            by
        );
        self.one("operator", query).await
    }

    /// Revokes an operator, for good. `by` is the operator who signed it.
    pub async fn revoke_operator(&mut self, name: &str, by: &str, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE operators SET revoked_at_ms = ?, revoked_by = ? WHERE name = ? AND revoked_at_ms = 0",
            signed(now_ms),
            by,
            name
        );
        self.one("operator", query).await
    }

    /// Records the end of the operator's certificate for remote access, Unix milliseconds.
    pub async fn set_operator_certificate(&mut self, name: &str, expires_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE operators SET certificate_expires_ms = ? WHERE name = ?",
            signed(expires_ms),
            name
        );
        self.one("operator", query).await
    }
}
