//! A node's disk from outside: its image file.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::{Whence, lseek};

/// A disk's image file. A running guest sees writes here only after its own cache drops the blocks.
#[derive(Debug, Clone)]
pub struct Disk {
    path: PathBuf,
}

const BLOCK: usize = 64 << 10;

impl Disk {
    /// The disk with that image file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Path of the image file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size in bytes. Fails when the file does not exist.
    pub fn size_bytes(&self) -> Result<u64> {
        Ok(self.open()?.metadata()?.len())
    }

    /// A hash of every byte; holes count as zeros. Fails when the file cannot be read.
    pub fn hash(&self) -> Result<u64> {
        let file = self.open()?;
        let length = file.metadata()?.len();
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(length);
        let mut block = vec![0; BLOCK];
        let mut offset = 0;
        while let Some(data) = next_data(&file, offset)? {
            offset = data - data % BLOCK as u64;
            let size = usize::try_from((length - offset).min(BLOCK as u64))?;
            file.read_exact_at(&mut block[..size], offset)?;
            if block[..size].iter().any(|byte| *byte != 0) {
                hasher.write_u64(offset);
                hasher.write(&block[..size]);
            }
            offset += BLOCK as u64;
        }
        Ok(hasher.finish())
    }

    /// Reads `length` bytes at `offset`. Fails when the file cannot be read, or ends before.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = self.open()?.read_exact_at(&mut bytes, offset);
        read.with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(bytes)
    }

    /// Writes at `offset`, in bytes. Fails when the file cannot be written.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let file = File::options().write(true).open(&self.path);
        file.and_then(|file| file.write_all_at(bytes, offset))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Writes `length` random bytes at `offset`. Fails when the file cannot be written.
    pub fn write_random(&self, offset: u64, length: usize) -> Result<()> {
        let mut bytes = vec![0; length];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        self.write(offset, &bytes)
    }

    /// Makes the disk blank. Fails when the file cannot be written.
    pub fn blank(&self) -> Result<()> {
        let file = File::options().write(true).open(&self.path)?;
        let length = file.metadata()?.len();
        file.set_len(0)?;
        Ok(file.set_len(length)?)
    }

    fn open(&self) -> Result<File> {
        File::open(&self.path).with_context(|| format!("cannot open {}", self.path.display()))
    }
}

/// Offset of the next byte that is not in a hole.
fn next_data(file: &File, offset: u64) -> Result<Option<u64>> {
    match lseek(file, i64::try_from(offset)?, Whence::SeekData) {
        Ok(found) => Ok(Some(u64::try_from(found)?)),
        Err(error) if std::io::Error::from(error).raw_os_error() == Some(nix::libc::ENXIO) => Ok(None),
        Err(error) if std::io::Error::from(error).kind() == ErrorKind::InvalidInput => Ok(None),
        Err(error) => Err(error).context("cannot look for data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(folder: &Path, name: &str) -> Result<Disk> {
        let path = folder.join(name);
        File::create(&path)?.set_len(8 << 20)?;
        Ok(Disk::new(path))
    }

    #[test]
    fn one_changed_byte_anywhere_changes_the_hash() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let disk = disk(folder.path(), "a")?;
        let blank = disk.hash()?;
        for offset in [0, BLOCK as u64 * 7 + 13, (8 << 20) - 1] {
            disk.write(offset, &[1])?;
            assert_ne!(disk.hash()?, blank, "at {offset}");
            disk.write(offset, &[0])?;
            assert_eq!(disk.hash()?, blank, "at {offset}");
        }
        Ok(())
    }

    #[test]
    fn the_same_bytes_at_another_place_have_another_hash() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (one, other) = (disk(folder.path(), "a")?, disk(folder.path(), "b")?);
        one.write(0, b"label")?;
        other.write(BLOCK as u64, b"label")?;
        assert_ne!(one.hash()?, other.hash()?);
        Ok(())
    }
}
