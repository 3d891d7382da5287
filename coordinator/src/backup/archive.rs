//! The content before encryption, a tar archive: the manifest, its signature, then the files in the manifest's order.

use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use heeler_proto::hex;
/// The list of contents, signed by the coordinator that made the backup; `--json` shows it as it is.
pub use heeler_proto::json::{Backup as Manifest, BackupFile as Entry};
use ring::digest::{Context, SHA256};
use tar::{EntryType, Header};

use super::error::{Result, damaged, failed};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SIGNATURE: &str = "manifest.sig";
/// Longest path of a file, in bytes: every tar reads it without an extension.
pub(super) const LONGEST_PATH: usize = 100;
/// Most bytes of a manifest: thousands of files.
const MOST_MANIFEST: u64 = 4 << 20;
/// Most bytes of the signature: ECDSA P-256 in DER has about 72.
const MOST_SIGNATURE: u64 = 256;
/// Size of a tar archive's blocks, in bytes; each file is filled up to a whole one.
const BLOCK: u64 = 512;

/// The file's path below `folder`; None when it would lead out of it.
pub(super) fn place(entry: &Entry, folder: &Path) -> Option<PathBuf> {
    let path = Path::new(&entry.path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !entry.path.is_empty()).then(|| folder.join(path))
}

/// Adds a file of `bytes` bytes to the archive.
pub(super) fn append(
    tar: &mut tar::Builder<impl Write>,
    path: &str,
    bytes: u64,
    from: impl Read,
    at_ms: u64,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(at_ms / 1000);
    header.set_cksum();
    let mut from = from.take(bytes);
    tar.append(&header, &mut from)?;
    match from.limit() {
        0 => Ok(()),
        _ => Err(io::Error::other("a file became shorter meanwhile")),
    }
}

/// Reads the start of an archive: the manifest, its bytes, and the signature.
pub(super) fn read_head(from: &mut impl Read) -> Result<(Manifest, Vec<u8>, Vec<u8>)> {
    let bytes = read_part(from, MANIFEST, MOST_MANIFEST)?;
    let signature = read_part(from, SIGNATURE, MOST_SIGNATURE)?;
    let manifest = serde_json::from_slice(&bytes).map_err(damaged)?;
    Ok((manifest, bytes, signature))
}

fn read_part(from: &mut impl Read, name: &str, most: u64) -> Result<Vec<u8>> {
    let length = read_header(from, name)?;
    if length > most {
        return Err(damaged(format!("{name} in it is too large")));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes).map_err(damaged)?;
    read_filling(from, length)?;
    Ok(bytes)
}

/// The size, in bytes, of the next file, which must be `path`.
fn read_header(from: &mut impl Read, path: &str) -> Result<u64> {
    let mut header = Header::new_old();
    from.read_exact(header.as_mut_bytes()).map_err(damaged)?;
    let fits = header.entry_type() == EntryType::Regular && *header.path_bytes() == *path.as_bytes();
    match header.entry_size() {
        Ok(bytes) if fits => Ok(bytes),
        _ => Err(damaged(format!("{path} is not in its place"))),
    }
}

/// Reads what fills the last block of a file of `bytes` bytes.
fn read_filling(from: &mut impl Read, bytes: u64) -> Result<()> {
    let filling = bytes.next_multiple_of(BLOCK) - bytes;
    match io::copy(&mut from.take(filling), &mut io::sink()) {
        Ok(read) if read == filling => Ok(()),
        Ok(_) => Err(damaged("it ends in the middle")),
        Err(error) => Err(damaged(error)),
    }
}

/// Checks that the archive ends here: two blocks of zeros, and nothing behind them.
pub(super) fn read_end(from: &mut impl Read) -> Result<()> {
    let mut rest = Vec::new();
    from.take(2 * BLOCK + 1).read_to_end(&mut rest).map_err(damaged)?;
    match rest.len() as u64 == 2 * BLOCK && rest.iter().all(|byte| *byte == 0) {
        true => Ok(()),
        false => Err(damaged("it holds more than its list of contents says")),
    }
}

/// Writes one file to `path` and checks that it fits the manifest. An error of writing is kept apart from a damaged
/// backup.
pub(super) fn read_file(from: &mut impl Read, entry: &Entry, into: &mut impl Write, path: &Path) -> Result<()> {
    if read_header(from, &entry.path)? != entry.bytes {
        return Err(damaged(format!("{} has another size than listed", entry.path)));
    }
    let mut hashing = Hashing::new(into);
    let mut file = from.take(entry.bytes);
    let mut part = vec![0; 64 << 10];
    loop {
        let read = match file.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error)),
        };
        hashing.write_all(&part[..read]).map_err(failed("write", path))?;
    }
    if hashing.bytes() != entry.bytes || hashing.hex() != entry.sha256 {
        return Err(damaged(format!("{} is incomplete", entry.path)));
    }
    read_filling(from, entry.bytes)
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
