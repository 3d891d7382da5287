//! The content before encryption: a label, the manifest, its signature, then the files one after the other.

use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::error::{BackupError, damaged, failed};

const LABEL: &[u8] = b"heeler backup 1\n";
/// Most bytes of a manifest: thousands of files.
const MANIFEST: u32 = 4 << 20;
/// Most bytes of the signature: ECDSA P-256 in DER has about 72.
const SIGNATURE: u32 = 256;

/// The list of contents, signed by the coordinator that made the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Cluster name: lower-case letters, digits and inner hyphens, at most 15.
    pub cluster: String,
    /// Time of the state that it holds, Unix milliseconds.
    pub created_at_ms: u64,
    /// Epoch of the coordinator.
    pub epoch: u64,
    /// Number of the audit log's last entry.
    pub audit_seq: u64,
    /// Hash of that entry, in hex.
    pub audit_hash: String,
    /// Version of heeler that made it.
    pub heeler: String,
    /// Whether old events and plans are left out.
    pub thin: bool,
    /// Public key of the coordinator that signed it: an uncompressed P-256 point, in hex.
    pub signer: String,
    /// In the order in which they follow.
    pub files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Path below the state folder.
    pub path: String,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

impl Entry {
    /// The file's path below `folder`; None when it would lead out of it.
    #[must_use]
    pub fn place(&self, folder: &Path) -> Option<PathBuf> {
        let path = Path::new(&self.path);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        (plain && !self.path.is_empty()).then(|| folder.join(path))
    }
}

/// Writes label, manifest and signature.
pub(super) fn write_head(out: &mut impl Write, manifest: &[u8], signature: &[u8]) -> io::Result<()> {
    out.write_all(LABEL)?;
    for part in [manifest, signature] {
        let length = u32::try_from(part.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(part)?;
    }
    Ok(())
}

/// Reads what [`write_head`] wrote: the manifest, its bytes, and the signature.
pub(super) fn read_head(from: &mut impl Read) -> Result<(Manifest, Vec<u8>, Vec<u8>), BackupError> {
    let mut label = [0; LABEL.len()];
    from.read_exact(&mut label)
        .map_err(|error| damaged(error.to_string()))?;
    if label != LABEL {
        return Err(damaged("it does not start as a backup of this version does"));
    }
    let bytes = read_part(from, MANIFEST)?;
    let signature = read_part(from, SIGNATURE)?;
    let manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    Ok((manifest, bytes, signature))
}

fn read_part(from: &mut impl Read, most: u32) -> Result<Vec<u8>, BackupError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)
        .map_err(|error| damaged(error.to_string()))?;
    let length = u32::from_be_bytes(length);
    if length > most {
        return Err(damaged("a length in it is impossible"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)
        .map_err(|error| damaged(error.to_string()))?;
    Ok(bytes)
}

/// Writes one file to `path` and checks that it fits the manifest. An error of writing is kept apart from a damaged
/// backup.
pub(super) fn read_file(
    from: &mut impl Read,
    entry: &Entry,
    into: &mut impl Write,
    path: &Path,
) -> Result<(), BackupError> {
    let mut hashing = Hashing::new(into);
    let mut from = from.take(entry.bytes);
    let mut part = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error.to_string())),
        };
        hashing.write_all(&part[..read]).map_err(failed("write", path))?;
    }
    if hashing.bytes() != entry.bytes || hashing.hex() != entry.sha256 {
        return Err(damaged(format!("{} is incomplete", entry.path)));
    }
    Ok(())
}

/// Hashes everything that is written through it.
pub(super) struct Hashing<W> {
    into: W,
    context: Context,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(into: W) -> Self {
        Self {
            into,
            context: Context::new(&SHA256),
            bytes: 0,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn digest(self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.context.finish().as_ref());
        digest
    }

    pub(super) fn hex(self) -> String {
        hex(&self.digest())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.context.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
