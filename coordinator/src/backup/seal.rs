use std::io::{Read, Write};

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, Recipient, scrypt, stream, x25519};

use super::error::{BackupError, damaged};

/// What a backup is sealed with.
#[derive(Clone)]
pub enum Lock {
    /// For the holder of the recovery key.
    Recipient(x25519::Recipient),
    /// For whoever knows it.
    Passphrase(SecretString),
}

impl Lock {
    /// The public half of a recovery key, `age1…`.
    #[must_use]
    pub fn recipient(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self::Recipient)
    }

    /// Words that a person keeps.
    #[must_use]
    pub fn passphrase(words: String) -> Self {
        Self::Passphrase(SecretString::from(words))
    }

    pub(crate) fn seal<W: Write>(&self, out: W) -> std::io::Result<stream::StreamWriter<W>> {
        self.seal_also(out, None)
    }

    /// Also for whoever shall prove what was written: that other key opens it as well as the recovery key, whose private
    /// half is not here.
    pub(super) fn seal_also<W: Write>(
        &self,
        out: W,
        prover: Option<&Opener>,
    ) -> std::io::Result<stream::StreamWriter<W>> {
        let sealer = match self {
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
        sealer.wrap_output(out)
    }

    /// What opens, once, what is sealed for it too: a key that is nowhere but in memory, or the words.
    pub(super) fn prover(&self) -> Opener {
        match self {
            Self::Recipient(_) => Opener::Identity(Box::new(x25519::Identity::generate())),
            Self::Passphrase(words) => Opener::Passphrase(words.clone()),
        }
    }
}

/// What opens a backup.
pub enum Opener {
    /// The recovery key.
    Identity(Box<x25519::Identity>),
    /// The words.
    Passphrase(SecretString),
}

impl Opener {
    /// Words that a person kept.
    #[must_use]
    pub fn passphrase(words: String) -> Self {
        Self::Passphrase(SecretString::from(words))
    }

    /// For one more backup.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Identity(identity) => Self::Identity(identity.clone()),
            Self::Passphrase(words) => Self::Passphrase(words.clone()),
        }
    }

    pub(crate) fn open<R: Read>(&self, from: R) -> Result<stream::StreamReader<R>, BackupError> {
        let sealed = Decryptor::new(from).map_err(|error| damaged(error.to_string()))?;
        let opened = match self {
            Self::Identity(_) if sealed.is_scrypt() => Err(age::DecryptError::NoMatchingKeys),
            Self::Passphrase(_) if !sealed.is_scrypt() => Err(age::DecryptError::NoMatchingKeys),
            Self::Identity(identity) => sealed.decrypt(std::iter::once(identity.as_ref() as &dyn age::Identity)),
            Self::Passphrase(words) => {
                let identity = scrypt::Identity::new(words.clone());
                sealed.decrypt(std::iter::once(&identity as &dyn age::Identity))
            }
        };
        opened.map_err(|error| match error {
            age::DecryptError::NoMatchingKeys | age::DecryptError::KeyDecryptionFailed => BackupError::WrongKey,
            // With the right passphrase's shape and another content, the file key does not come out.
            age::DecryptError::DecryptionFailed => BackupError::WrongKey,
            other => damaged(other.to_string()),
        })
    }
}
