//! Reads a device with little memory and past the page cache, which it would otherwise fill.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::zeros;

const PIECE: usize = 1 << 20;
/// Alignment of direct reads, in memory and on the device, that every drive accepts.
const ALIGN: usize = 4096;

/// The offset of the first byte that is not zero, in these places rounded out to whole pages; None when all are zero.
/// Counts its reads in `reads`.
pub(super) fn first_data(device: &Path, places: &[(u64, u64)], reads: &AtomicU64) -> Result<Option<u64>> {
    let file = open(device)?;
    let mut memory = vec![0; PIECE + ALIGN];
    let start = memory.as_ptr().align_offset(ALIGN).min(ALIGN);
    let piece = &mut memory[start..start + PIECE];
    for (from, to) in places {
        let mut at = from - from % ALIGN as u64;
        while at < *to {
            let length = (to - at).next_multiple_of(ALIGN as u64).min(PIECE as u64) as usize;
            reads.fetch_add(1, Ordering::Relaxed);
            match file.read_at(&mut piece[..length], at) {
                Ok(0) => return Err(Error::new(ErrorKind::UnexpectedEof, format!("it ends at byte {at}"))),
                Ok(count) => match zeros::first_data(&piece[..count]) {
                    Some(data) => return Ok(Some(at + data as u64)),
                    None => at += count as u64,
                },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::new(error.kind(), format!("at byte {at}: {error}"))),
            }
        }
    }
    Ok(None)
}

/// Falls back to buffered reads, because some file systems in tests have no direct reads; block devices have.
fn open(device: &Path) -> Result<File> {
    let direct = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_DIRECT)
        .open(device);
    match direct {
        Err(error) if error.kind() == ErrorKind::InvalidInput => File::open(device),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_finds_data_and_reports_a_short_device() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let size = 3 * PIECE as u64 + 512;
        file.as_file().set_len(size).unwrap();
        let first = |places: &[(u64, u64)]| first_data(file.path(), places, &AtomicU64::new(0));
        assert_eq!(first(&[(0, size)]).unwrap(), None);
        let short = first(&[(0, size + 4096)]).unwrap_err();
        assert_eq!(short.kind(), ErrorKind::UnexpectedEof, "{short}");
        for at in [size - 1, 2_000_000, 4095] {
            file.as_file().write_all_at(b"x", at).unwrap();
            assert_eq!(first(&[(0, size)]).unwrap(), Some(at));
        }
        assert_eq!(first(&[(4096, 1 << 20), (3 << 20, size)]).unwrap(), Some(size - 1));
        assert_eq!(first(&[(4096, 1 << 20)]).unwrap(), None);
    }
}
