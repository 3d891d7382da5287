//! pmxcfs's database on the root file system, which holds all of /etc/pve (pmxcfs(8)). It is an SQLite database with a
//! write-ahead log (sqlite.org/walformat.html), and pmxcfs may write at any time.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{RunError, System, content};

/// The database.
pub const DATABASE: &str = "/var/lib/pve-cluster/config.db";
/// Its write-ahead log, which has the newest changes; not there while pmxcfs is stopped.
pub const LOG: &str = "/var/lib/pve-cluster/config.db-wal";

/// How often it is read until it is the same twice, and the time between. A node writes a few times a minute.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Both files at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steady {
    /// The content of the database's file.
    pub database: Vec<u8>,
    /// The content of the log's file; None when there was none.
    pub log: Option<Vec<u8>>,
}

/// Reads the database and its log so that SQLite opens both together as one moment's state. None when there is no
/// database. Fails when a file cannot be read, is no such database, or changes all the time.
///
/// The log is read before and after the database, and must be the same: a log that starts anew has another random
/// number in its first bytes. So each page that went from the log to the database meanwhile is in the log that is
/// returned, and SQLite reads that one. Without a log the database itself must be the same twice.
pub async fn steady(host: &dyn System, database: &Path, log: &Path) -> Result<Option<Steady>, RunError> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            host.sleep(PAUSE).await;
        }
        let before = read(host, log).await?;
        let Some(first) = read(host, database).await? else {
            return Ok(None);
        };
        let again = match before.as_deref() {
            None | Some([]) => read(host, database).await?,
            Some(_) => None,
        };
        if read(host, log).await? == before && again.is_none_or(|again| again == first) {
            let steady = Steady {
                database: first,
                log: before,
            };
            return match steady.looks_whole() {
                true => Ok(Some(steady)),
                false => Err(RunError::file(
                    database,
                    io::Error::other("it is not an SQLite database"),
                )),
            };
        }
    }
    let text = format!("it changed during each of {TRIES} attempts to read it");
    Err(RunError::file(database, io::Error::other(text)))
}

async fn read(host: &dyn System, path: &Path) -> Result<Option<Vec<u8>>, RunError> {
    let read = content(host, path).await;
    read.map_err(|error| RunError::file(path, error))
}

impl Steady {
    /// Whether the headers are right, and the database has whole pages.
    fn looks_whole(&self) -> bool {
        let size = match self.database.get(16..18) {
            Some([0, 1]) => 65536,
            Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return false,
        };
        let log = self.log.as_deref().unwrap_or_default();
        let magic = [0x37_7f_06_82_u32, 0x37_7f_06_83].map(u32::to_be_bytes);
        self.database.starts_with(b"SQLite format 3\0")
            && size >= 512
            && self.database.len().is_multiple_of(size)
            && (log.is_empty() || magic.iter().any(|magic| log.starts_with(magic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_whole(database: &[u8], log: Option<&[u8]>) -> bool {
        let (database, log) = (database.to_vec(), log.map(<[u8]>::to_vec));
        Steady { database, log }.looks_whole()
    }

    #[test]
    fn a_torn_or_foreign_file_is_no_database() {
        let mut page = vec![0; 4096];
        page[..18].copy_from_slice(b"SQLite format 3\0\x10\0");
        let log = [0x37, 0x7f, 0x06, 0x82, 0];
        assert!(looks_whole(&page, None) && looks_whole(&page, Some(b"")) && looks_whole(&page, Some(&log)));
        assert!(!looks_whole(&page, Some(b"somebody's notes")));
        for bad in [&page[..4095], &page[..17], b"", &[b'x'; 4096]] {
            assert!(!looks_whole(bad, None), "{} bytes", bad.len());
        }
    }
}
