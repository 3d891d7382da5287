//! Proves that a disk is blank: every byte was read and is zero, and nothing was written since.

use std::io;
use std::path::{Path, PathBuf};

use super::content::{Content, look};
use crate::{File, System};

const FOLDER: &str = "/var/lib/heeler-agent/read";
/// Bytes of one reading. The agent stops only between two of them.
const PIECE: u64 = 256 << 20;
/// Progress is saved each time so many bytes are read: at most this much is read again after a restart of the agent.
const KEPT_EACH: u64 = 16 << 30;
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The progress of reading a disk.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Serial that the drive reports.
    pub serial: String,
    /// Any path of the device.
    pub device: PathBuf,
    /// Size of the whole device in bytes.
    pub size_bytes: u64,
    /// Bytes from the start that were read and are zero.
    pub read_bytes: u64,
    /// Boot id, disk sequence number, size and write counters: they stay equal as long as what was read is valid.
    evidence: String,
    kept_bytes: u64,
}

/// Why a disk is not proven blank.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum NotBlank {
    #[error("{what} at byte {offset}")]
    Data {
        offset: u64,
        /// What the bytes look like, such as `ext4 superblock`.
        what: &'static str,
    },
    #[error("it was written to, or plugged in again, while it was read")]
    Changed,
    /// It could not be read, or the kernel does not count its writes; the text says which.
    #[error("{0}")]
    Unreadable(String),
    #[error("the progress of its reading could not be saved: {0}")]
    NotSaved(String),
}

impl From<io::Error> for NotBlank {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Reading {
    /// Continues an earlier reading in this boot, if the disk was neither written to nor unplugged since; otherwise
    /// starts at the beginning. Fails when the kernel does not count writes to the disk, or its size is not
    /// `size_bytes`.
    pub async fn resume(host: &dyn System, serial: &str, device: &Path, size_bytes: u64) -> Result<Self, NotBlank> {
        let evidence = evidence(host, device, size_bytes).await?;
        let kept = match kept(host, serial).await {
            Some((known, bytes, false)) if known == evidence => bytes.min(size_bytes),
            _ => 0,
        };
        Ok(Self {
            serial: serial.to_owned(),
            device: device.to_owned(),
            size_bytes,
            read_bytes: kept,
            evidence,
            kept_bytes: kept,
        })
    }

    /// Whether every byte was read.
    pub const fn is_whole(&self) -> bool {
        self.read_bytes == self.size_bytes
    }

    /// Reads the next piece, and saves the progress from time to time and at the end. Fails when there is data (its
    /// place is saved if it can be), the disk cannot be read, it was written to meanwhile, or the progress cannot be
    /// saved.
    pub async fn go_on(&mut self, host: &dyn System) -> Result<(), NotBlank> {
        let to = self.size_bytes.min(self.read_bytes.saturating_add(PIECE));
        match look(host, &self.device, &[(self.read_bytes, to)]).await {
            Content::Data { offset, what } => {
                // That there is data counts more than that its place cannot be saved.
                let _ = self.keep(host, offset, " data").await;
                return Err(NotBlank::Data { offset, what });
            }
            Content::Unreadable(why) => return Err(NotBlank::Unreadable(why)),
            Content::Zero | Content::NotRead => self.read_bytes = to,
        }
        if self.is_whole() || self.read_bytes - self.kept_bytes >= KEPT_EACH {
            self.still(host).await?;
            self.kept_bytes = self.read_bytes;
            self.keep(host, self.read_bytes, "").await?;
        }
        Ok(())
    }

    /// Checks that the kernel counted no write to the disk since, and that it was not unplugged. Fails when it was, or
    /// when that cannot be known.
    pub async fn still(&self, host: &dyn System) -> Result<(), NotBlank> {
        match evidence(host, &self.device, self.size_bytes).await? == self.evidence {
            true => Ok(()),
            false => Err(NotBlank::Changed),
        }
    }

    async fn keep(&self, host: &dyn System, bytes: u64, mark: &str) -> Result<(), NotBlank> {
        let text = format!("{}\n{bytes}{mark}\n", self.evidence);
        let saved = host.write(&File::text(path(&self.serial), text)).await;
        saved.map_err(|error| NotBlank::NotSaved(error.to_string()))
    }
}

/// Where an earlier reading of this disk found data, in bytes from the start; it may be gone by now.
pub(super) async fn found(host: &dyn System, serial: &str) -> Option<u64> {
    let (_, offset, is_data) = kept(host, serial).await?;
    is_data.then_some(offset)
}

/// The saved evidence, a number of bytes, and whether it is the place of data.
async fn kept(host: &dyn System, serial: &str) -> Option<(String, u64, bool)> {
    let bytes = host.read(&path(serial)).await.ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (evidence, rest) = text.strip_suffix('\n')?.split_once('\n')?;
    let (number, is_data) = match rest.strip_suffix(" data") {
        Some(number) => (number, true),
        None => (rest, false),
    };
    Some((evidence.to_owned(), number.parse().ok()?, is_data))
}

fn path(serial: &str) -> PathBuf {
    // A drive may report any text as its serial.
    Path::new(FOLDER).join(serial.replace('/', "_"))
}

/// Boot id; disk sequence number, which changes when a disk is plugged in; size in sectors; number and sectors of
/// writes and discards (Linux, Documentation/ABI/stable/sysfs-block).
async fn evidence(host: &dyn System, device: &Path, size_bytes: u64) -> Result<String, NotBlank> {
    let resolved = host.resolve(device).await?;
    let name = resolved.file_name().unwrap_or_default();
    let folder = Path::new("/sys/class/block").join(name);
    let text = async |path: PathBuf| -> Result<String, NotBlank> {
        let unreadable = |error| NotBlank::Unreadable(format!("could not read {}: {error}", path.display()));
        let bytes = host.read(&path).await.map_err(unreadable)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    if text(folder.join("queue/iostats")).await? != "1" {
        return Err(NotBlank::Unreadable(
            "the kernel does not count its writes: queue/iostats is 0".to_owned(),
        ));
    }
    let sectors = text(folder.join("size")).await?;
    if sectors.parse() != Ok(size_bytes / 512) {
        return Err(NotBlank::Changed);
    }
    let (boot, sequence) = (text(BOOT_ID.into()).await?, text(folder.join("diskseq")).await?);
    let counts = text(folder.join("stat")).await?;
    let counts: Vec<&str> = counts.split_whitespace().collect();
    let [_, _, _, _, writes, _, written, _, _, _, _, discards, _, discarded, ..] = counts[..] else {
        return Err(NotBlank::Unreadable(
            "the kernel does not count its discards".to_owned(),
        ));
    };
    Ok(format!(
        "{boot} {sequence} {sectors} {writes} {written} {discards} {discarded}"
    ))
}
