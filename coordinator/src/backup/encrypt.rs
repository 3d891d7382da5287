use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, Recipient, scrypt, stream, x25519};

use super::error::{BackupError, Result, damaged, failed};

/// What encrypts a backup.
#[derive(Clone)]
pub enum Lock {
    /// The public half of a recovery key.
    Recipient(x25519::Recipient),
    /// A passphrase that a person knows.
    Passphrase(SecretString),
}

impl Lock {
    /// Parses the public half of a recovery key, `age1…`; None when it is not one.
    pub fn recipient(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self::Recipient)
    }

    /// A passphrase that a person knows.
    pub fn passphrase(words: String) -> Self {
        Self::Passphrase(SecretString::from(words))
    }

    pub(crate) fn encrypt<W: Write>(&self, out: W) -> std::io::Result<stream::StreamWriter<W>> {
        self.encrypt_also(out, None)
    }

    /// Encrypts for `prover` too, so that the new backup can be read back here, where the private half of the recovery
    /// key is not.
    pub(super) fn encrypt_also<W: Write>(
        &self,
        out: W,
        prover: Option<&Opener>,
    ) -> std::io::Result<stream::StreamWriter<W>> {
        let encryptor = match self {
            Self::Recipient(recipient) => {
                let also = prover.and_then(|prover| match prover {
                    Opener::Identity(identity) => Some(identity.to_public()),
                    Opener::Passphrase(_) => None,
                });
                let all = std::iter::once(recipient).chain(&also);
                Encryptor::with_recipients(all.map(|recipient| recipient as &dyn Recipient))
                    .map_err(std::io::Error::other)?
            }
            Self::Passphrase(words) => Encryptor::with_user_passphrase(words.clone()),
        };
        encryptor.wrap_output(out)
    }

    /// An opener to read the new backup back once: a new key that exists only in memory, or the passphrase.
    pub(super) fn prover(&self) -> Opener {
        match self {
            Self::Recipient(_) => Opener::Identity(Box::new(x25519::Identity::generate())),
            Self::Passphrase(words) => Opener::Passphrase(words.clone()),
        }
    }
}

/// Whether the file is encrypted with a passphrase and not for a recovery key. Needs neither. Fails when it cannot be
/// read or is not encrypted.
pub fn has_passphrase(archive: &Path) -> Result<bool> {
    let file = File::open(archive).map_err(failed("read", archive))?;
    let encrypted = Decryptor::new(BufReader::new(file)).map_err(damaged)?;
    Ok(encrypted.is_scrypt())
}

/// What opens a backup.
pub enum Opener {
    /// The private half of a recovery key.
    Identity(Box<x25519::Identity>),
    /// The passphrase.
    Passphrase(SecretString),
}

impl Opener {
    /// The passphrase that encrypted the backup.
    pub fn passphrase(words: String) -> Self {
        Self::Passphrase(SecretString::from(words))
    }

    /// A copy, for another backup.
    pub fn again(&self) -> Self {
        match self {
            Self::Identity(identity) => Self::Identity(identity.clone()),
            Self::Passphrase(words) => Self::Passphrase(words.clone()),
        }
    }

    pub(crate) fn open<R: Read>(&self, from: R) -> Result<stream::StreamReader<R>> {
        let encrypted = Decryptor::new(from).map_err(damaged)?;
        let opened = match self {
            Self::Identity(_) if encrypted.is_scrypt() => Err(age::DecryptError::NoMatchingKeys),
            Self::Passphrase(_) if !encrypted.is_scrypt() => Err(age::DecryptError::NoMatchingKeys),
            Self::Identity(identity) => encrypted.decrypt(std::iter::once(identity.as_ref() as &dyn age::Identity)),
            Self::Passphrase(words) => {
                let identity = scrypt::Identity::new(words.clone());
                encrypted.decrypt(std::iter::once(&identity as &dyn age::Identity))
            }
        };
        opened.map_err(|error| match error {
            age::DecryptError::NoMatchingKeys | age::DecryptError::KeyDecryptionFailed => BackupError::WrongKey,
            // age reports a wrong passphrase this way: the file key cannot be decrypted.
            age::DecryptError::DecryptionFailed => BackupError::WrongKey,
            other => damaged(other),
        })
    }
}
