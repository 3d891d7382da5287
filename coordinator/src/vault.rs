//! Encrypts secrets with a key in a file beside the database, so that the database alone does not reveal them.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;

use crate::backup::{BackupError, Lock, Opener};
use crate::pki::{PkiError, make_folder, read_text, write_secret};
use crate::state::StateFolder;

/// Most bytes of a secret.
pub const LARGEST_BYTES: usize = 64 << 10;
const LABEL: &[u8] = b"heeler secret 1\n";

/// The key that encrypts secrets.
pub struct Vault(Identity);

/// Why a secret could not be encrypted or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file could not be read or written.
    #[error(transparent)]
    Key(#[from] PkiError),
    #[error("{} holds no key: restore it from a backup, or remove it and set each secret again", .0.display())]
    NoKey(PathBuf),
    #[error("could not encrypt it")]
    Encrypt(#[source] io::Error),
    /// The secret is encrypted for another key or name, or is damaged.
    #[error("it does not open with the key that is there: set it again")]
    Open,
}

impl Vault {
    /// Opens the key of that state folder; makes it when it is missing. Fails when the file cannot be read or written,
    /// or holds no key.
    pub fn open(state: &StateFolder) -> Result<Self, VaultError> {
        let path = state.secrets().join("key.txt");
        if !path.exists() {
            make_folder(&state.secrets())?;
            let made = Identity::generate();
            write_secret(&path, &format!("{}\n", made.to_string().expose_secret()))?;
        }
        let key = read_text(&path)?.trim().parse();
        key.map(Self).map_err(|_| VaultError::NoKey(path))
    }

    /// Encrypts a value. It opens only under the same name. Fails when the encryption fails.
    pub fn seal(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut encrypted = Vec::new();
        let lock = Lock::Recipient(self.0.to_public());
        let mut write = || {
            let mut inside = lock.encrypt(&mut encrypted)?;
            inside.write_all(&head(name))?;
            inside.write_all(value)?;
            inside.finish().map(drop)
        };
        write().map_err(VaultError::Encrypt)?;
        Ok(encrypted)
    }

    /// Opens what [`Self::seal`] has encrypted. Fails when it was encrypted for another key or name, or was changed.
    pub fn unseal(&self, name: &str, encrypted: &[u8]) -> Result<Vec<u8>, VaultError> {
        let opened = Opener::Identity(Box::new(self.0.clone())).open(encrypted);
        let mut inside = opened.map_err(|_: BackupError| VaultError::Open)?;
        let mut bytes = Vec::new();
        inside.read_to_end(&mut bytes).map_err(|_| VaultError::Open)?;
        let value = bytes.strip_prefix(head(name).as_slice()).ok_or(VaultError::Open)?;
        Ok(value.to_vec())
    }
}

fn head(name: &str) -> Vec<u8> {
    [LABEL, name.as_bytes(), b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_opens_only_under_its_name() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let states = folders.each_ref().map(|folder| StateFolder::new(folder.path()));
        let vault = Vault::open(&states[0]).unwrap();
        let encrypted = vault.seal("token", b"open sesame").unwrap();
        assert!(!encrypted.windows(6).any(|bytes| bytes == b"sesame"));
        let again = Vault::open(&states[0]).unwrap();
        assert_eq!(again.unseal("token", &encrypted).unwrap(), b"open sesame");
        assert!(matches!(again.unseal("toke", &encrypted), Err(VaultError::Open)));
        assert!(matches!(
            Vault::open(&states[1]).unwrap().unseal("token", &encrypted),
            Err(VaultError::Open)
        ));
        for at in 0..encrypted.len() {
            let mut changed = encrypted.clone();
            changed[at] ^= 1;
            assert!(again.unseal("token", &changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_secrets_key_is_private_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path());
        Vault::open(&state).unwrap();
        let path = state.secrets().join("key.txt");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "nothing").unwrap();
        assert!(matches!(Vault::open(&state), Err(VaultError::NoKey(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "nothing");
    }
}
