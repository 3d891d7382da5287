use crate::{Digest, Result, Sha256, Tx, signed};

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
    pub async fn token(&mut self, sha256: &Digest) -> Result<Option<Token>> {
        let query = sqlx::query_as!(
            Token,
            r#"SELECT sha256 as "sha256: Sha256", node, key_sha256 as "key_sha256: Sha256",
            expires_at_ms as "expires_at_ms: u64", used_at_ms as "used_at_ms: u64" FROM tokens WHERE sha256 = ?"#,
            sha256.as_slice()
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Stores a token and deletes the node's older unused ones.
    pub async fn add_token(&mut self, token: &Token, now_ms: u64) -> Result<()> {
        self.forget_tokens(&token.node).await?;
        let query = sqlx::query!(
            "INSERT INTO tokens (sha256, node, key_sha256, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
            token.sha256.as_slice(),
            token.node,
            token.key_sha256.as_slice(),
            signed(now_ms),
            signed(token.expires_at_ms)
        );
        self.one("new token", query).await
    }

    /// Deletes the node's unused tokens.
    pub async fn forget_tokens(&mut self, node: &str) -> Result<()> {
        self.run(sqlx::query!(
            "DELETE FROM tokens WHERE node = ? AND used_at_ms IS NULL",
            node
        ))
        .await
        .map(drop)
    }

    /// Marks a token as used. Fails when it was used before.
    pub async fn use_token(&mut self, sha256: &Digest, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE tokens SET used_at_ms = ? WHERE sha256 = ? AND used_at_ms IS NULL",
            signed(now_ms),
            sha256.as_slice()
        );
        self.one("token", query).await
    }
}
