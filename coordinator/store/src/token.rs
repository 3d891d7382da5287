use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// A join token, which lets one key enrol one node. Only its SHA-256 is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the token's text.
    pub sha256: Digest,
    /// Name of the node that may enrol with it.
    pub node: String,
    /// SHA-256 of the only public key that it admits.
    pub key_sha256: Digest,
    /// Unix milliseconds; the token is invalid from then on.
    pub expires_at_ms: u64,
    /// When it was used, Unix milliseconds; None while unused.
    pub used_at_ms: Option<u64>,
}

impl Tx {
    /// The token with that SHA-256, also one that is used or expired.
    pub async fn token(&mut self, sha256: &Digest) -> Result<Option<Token>, StoreError> {
        let key = sha256.as_slice();
        let row = sqlx::query!(
            r#"SELECT node, key_sha256, expires_at_ms as "expires_at_ms: u64", used_at_ms as "used_at_ms: u64"
            FROM tokens WHERE sha256 = ?"#,
            key
        )
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Token {
            sha256: *sha256,
            node: row.node,
            key_sha256: digest("tokens.key_sha256", row.key_sha256)?,
            expires_at_ms: row.expires_at_ms,
            used_at_ms: row.used_at_ms,
        }))
    }

    /// Stores a token and deletes the node's older unused ones.
    pub async fn add_token(&mut self, token: &Token, now_ms: u64) -> Result<(), StoreError> {
        let (sha256, key) = (token.sha256.as_slice(), token.key_sha256.as_slice());
        let (now_ms, expires) = (signed(now_ms), signed(token.expires_at_ms));
        self.forget_tokens(&token.node).await?;
        let result = sqlx::query!(
            "INSERT INTO tokens (sha256, node, key_sha256, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
            sha256,
            token.node,
            key,
            now_ms,
            expires
        )
        .execute(&mut *self.tx)
        .await?;
        one("new token", &result)
    }

    /// Deletes the node's unused tokens.
    pub async fn forget_tokens(&mut self, node: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM tokens WHERE node = ? AND used_at_ms IS NULL", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Marks a token as used. Fails when it was used before.
    pub async fn use_token(&mut self, sha256: &Digest, now_ms: u64) -> Result<(), StoreError> {
        let (key, now_ms) = (sha256.as_slice(), signed(now_ms));
        let result = sqlx::query!(
            "UPDATE tokens SET used_at_ms = ? WHERE sha256 = ? AND used_at_ms IS NULL",
            now_ms,
            key
        )
        .execute(&mut *self.tx)
        .await?;
        one("token", &result)
    }
}
