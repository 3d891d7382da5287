use heeler_proto::v1;
use heeler_store::Secret;

use super::{App, AppError, Result, Who};
use crate::known::{short, unknown};
use crate::vault::{LARGEST_BYTES, Vault};

impl App {
    /// The name of every secret, and whether it can be opened; never its value. Fails when the database or the key
    /// cannot be read.
    pub async fn secrets(&self) -> Result<Vec<v1::SecretInfo>> {
        let all = self.store.read().await?.secrets().await?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let vault = Vault::open(&self.state)?;
        let info = |secret: Secret| v1::SecretInfo {
            opens: vault.unseal(&secret.name, &secret.sealed).is_ok(),
            name: secret.name,
            set_at_ms: secret.set_at_ms,
            set_by: secret.set_by,
        };
        Ok(all.into_iter().map(info).collect())
    }

    /// Encrypts and stores a secret. Returns whether it replaced one. Fails when the name or the value is not valid, or
    /// the database or the key fails.
    pub async fn set_secret(&self, request: v1::SetSecretRequest, who: &Who) -> Result<bool> {
        let name = request.name;
        if !is_secret_name(&name) {
            return Err(AppError::Invalid(format!(
                "{name:?} is not a valid secret name: use lower-case letters, digits, and - _ . between them; at most 64"
            )));
        }
        if request.value.is_empty() || request.value.len() > LARGEST_BYTES {
            return Err(AppError::Invalid(format!(
                "a secret has at least one byte, and at most {} KiB",
                LARGEST_BYTES >> 10
            )));
        }
        let mut tx = self.store.write().await?;
        let secret = Secret {
            sealed: Vault::open(&self.state)?.seal(&name, &request.value)?,
            set_at_ms: self.now_ms(),
            set_by: who.name.clone(),
            name,
        };
        let replaced = tx.set_secret(&secret).await?;
        self.audit(&mut tx, &who.name, "secret set", "", &secret.name).await?;
        tx.save().await?;
        Ok(replaced)
    }

    /// Deletes a secret. Fails when no secret has that name.
    pub async fn remove_secret(&self, name: &str, who: &Who) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !tx.remove_secret(name).await? {
            let all = tx.secrets().await?;
            let what = format!("no secret is called {}", short(name));
            let names = all.iter().map(|secret| secret.name.as_str());
            return Err(unknown(what, name, names, "heeler secret list").into());
        }
        self.audit(&mut tx, &who.name, "secret removed", "", name).await?;
        Ok(tx.save().await?)
    }
}

pub fn is_secret_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()];
    ends.into_iter().all(|byte| byte.is_some_and(letter))
        && name.len() <= 64
        && name.bytes().all(|byte| letter(byte) || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn secret_names_are_plain_words() {
        for name in ["a", "tailscale-key", "pve.token_1", &"x".repeat(64)] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["", "-a", "a.", "A", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
