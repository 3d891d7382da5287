use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// A join token; only its SHA-256 is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Of the token's text.
    pub sha256: Digest,
    /// The node that it is for.
    pub node: String,
    /// SHA-256 of the only public key that it is good for.
    pub key_sha256: Digest,
    /// Good before that time.
    pub expires_at_ms: u64,
    /// None while it is good.
    pub used_at_ms: Option<u64>,
}

impl Tx {
    /// The token with that SHA-256, good or not.
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

    /// A fresh one; the node's older unused ones are good no more.
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

    /// The node's unused tokens are good no more.
    pub async fn forget_tokens(&mut self, node: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM tokens WHERE node = ? AND used_at_ms IS NULL", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Fails when it was used before.
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
