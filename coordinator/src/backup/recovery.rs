use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use age::x25519;
use heeler_os::{folder_of, sync_folder};
use heeler_proto::hex;
use heeler_store::Store;
use ring::digest::{SHA256, digest};

use super::encrypt::Opener;
use super::error::{BackupError, Result, failed};
use crate::audit::write;
use crate::pki::{PkiError, new_operator, public_point};
use crate::state::StateFolder;

/// The key in the `meta` table that holds the public half.
pub(crate) const RECIPIENT: &str = "recovery_recipient";
const SIGNER: &str = "# signer: ";

/// The private half of a recovery key.
pub struct Recovery {
    identity: x25519::Identity,
    /// Fingerprints of the coordinators whose backups are accepted; empty: any that the key opens.
    signers: Vec<String>,
}

impl Recovery {
    /// Parses the text of a recovery file, or the key's line alone. Fails when the text holds no key.
    pub fn parse(text: &str) -> Result<Self> {
        let key = text
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("AGE-SECRET-KEY-1"));
        let identity = key.and_then(|key| key.parse().ok()).ok_or(BackupError::NoKey)?;
        let signers = text.lines().filter_map(|line| line.strip_prefix(SIGNER));
        Ok(Self {
            identity,
            signers: signers.map(|signer| signer.trim().to_owned()).collect(),
        })
    }

    /// The opener for backups that are encrypted for this key.
    pub fn opener(&self) -> Opener {
        Opener::Identity(Box::new(self.identity.clone()))
    }

    /// Whether backups of that signer (a point, in hex) are accepted.
    pub fn believes(&self, signer: &str) -> bool {
        self.signers.is_empty() || self.signers.contains(&fingerprint(signer))
    }
}

/// What happened to the recovery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryFile {
    /// The coordinator already had one; nothing changed.
    Known,
    /// A new key was made. This file is the only place of its private half.
    Made(PathBuf),
    /// The key in this file is used again.
    Again(PathBuf),
}

/// Makes a recovery key unless the coordinator has one. The public half goes into the database, the private half into
/// `file`, which must be outside the state folder. Fails when a file or the database cannot be read or written.
pub async fn ensure_recovery(state: &StateFolder, file: &Path, who: &str, now_ms: u64) -> Result<RecoveryFile> {
    let store = Store::open(&state.database()).await?;
    let mut tx = store.write().await?;
    if tx.meta(RECIPIENT).await?.is_some() {
        return Ok(RecoveryFile::Known);
    }
    let cluster = tx.meta("cluster").await?.unwrap_or_default();
    let signer = signer(state)?;
    let (identity, outcome) = match read(file)? {
        Some(known) => {
            if !known.believes(&signer) {
                add_signer(file, &signer)?;
            }
            (known.identity, RecoveryFile::Again(file.to_owned()))
        }
        None => {
            let identity = x25519::Identity::generate();
            write_file(file, &text(&cluster, &signer, &identity))?;
            (identity, RecoveryFile::Made(file.to_owned()))
        }
    };
    let recipient = identity.to_public().to_string();
    tx.set_meta(RECIPIENT, &recipient).await?;
    write(&mut tx, who, ("recovery key", "", &recipient), now_ms).await?;
    tx.save().await?;
    store.close().await;
    Ok(outcome)
}

/// Checks that [`ensure_recovery`] can use the file: it does not exist, or it holds a key. Fails when it holds
/// something else.
pub fn readable(file: &Path) -> Result<()> {
    read(file).map(drop)
}

fn read(file: &Path) -> Result<Option<Recovery>> {
    match fs::read(file) {
        Ok(bytes) => {
            let known = Recovery::parse(&String::from_utf8_lossy(&bytes));
            known.map(Some).map_err(|_| BackupError::NoKeyIn(file.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", file)(source)),
    }
}

fn text(cluster: &str, signer: &str, identity: &x25519::Identity) -> String {
    format!(
        "# Heeler's recovery key of the cluster {cluster}.\n\
         # It opens every backup of the coordinator, and with it all keys of the cluster.\n\
         # Put it away where the coordinator is not: on paper, or in a password manager. Then delete this file.\n\
         {SIGNER}{}\n{}\n",
        fingerprint(signer),
        identity.to_string().expose_secret()
    )
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(folder_of(path))
    };
    write().map_err(failed("write", path))
}

/// Adds a signer to an existing recovery file, for a new coordinator that uses the same key.
fn add_signer(path: &Path, signer: &str) -> Result<()> {
    let add = || {
        // A person may have saved the key without a line end.
        let end = if fs::read(path)?.ends_with(b"\n") { "" } else { "\n" };
        let mut file = fs::OpenOptions::new().append(true).open(path)?;
        writeln!(file, "{end}{SIGNER}{}", fingerprint(signer))?;
        file.sync_all()
    };
    add().map_err(failed("write", path))
}

/// The public point, in hex, of the key that signs this coordinator's backups. Makes the key when it is missing.
pub(super) fn signer(state: &StateFolder) -> Result<String> {
    let pem = new_operator(&state.backup())?;
    let point = public_point(&pem).ok_or(BackupError::Pki(PkiError::Random))?;
    Ok(hex(&point))
}

fn fingerprint(signer: &str) -> String {
    hex(digest(&SHA256, signer.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_added_on_its_own_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.txt");
        let identity = x25519::Identity::generate();
        fs::write(&file, identity.to_string().expose_secret()).unwrap();
        for signer in ["04aa", "04bb"] {
            add_signer(&file, signer).unwrap();
        }
        let read = read(&file).unwrap().unwrap();
        assert_eq!(read.identity.to_public(), identity.to_public());
        assert!(read.believes("04aa") && read.believes("04bb"), "{:?}", read.signers);
    }
}
