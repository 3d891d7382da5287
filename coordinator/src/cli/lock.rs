//! heeler.lock: the last accepted revision that this checkout has seen.

use std::path::Path;

use heeler_proto::v1::AuditHead;
use heeler_proto::{hex, unhex};
use serde::{Deserialize, Serialize};

use super::error::file;
use super::place::write_whole;
use super::{CliError, Result};

/// The file name; it is in the folder of heeler.toml, and committed.
pub(super) const FILE: &str = "heeler.lock";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    /// Number of the revision; 0 before the first apply.
    pub(super) revision: u64,
    /// SHA-256 of the accepted text, in hex.
    pub(super) sha256: String,
    /// The audit log's last entry at that time, as `NUMBER:HASH` in hex. It shows later whether entries were removed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) audit: String,
}

impl Lock {
    pub(super) fn of(revision: u64, text: &str) -> Self {
        Self {
            revision,
            sha256: sha256(text),
            audit: String::new(),
        }
    }

    pub(super) fn names_the_same(&self, other: &Self) -> bool {
        self.revision == other.revision && self.sha256 == other.sha256
    }

    /// Adds the last entry of the audit log, if the coordinator sent it.
    pub(super) fn having_seen(mut self, head: Option<&AuditHead>) -> Self {
        if let Some(head) = head {
            self.audit = format!("{}:{}", head.seq, hex(&head.hash));
        }
        self
    }

    /// The last entry of the audit log that this checkout has seen; None when none is noted.
    pub(super) fn audit_head(&self) -> Option<AuditHead> {
        let (seq, hash) = self.audit.split_once(':')?;
        Some(AuditHead {
            place: FILE.to_owned(),
            seq: seq.parse().ok()?,
            hash: unhex(hash).filter(|hash| hash.len() == 32)?,
        })
    }

    /// Reads heeler.lock; the default when the file is missing.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(file("read", &path))?,
        };
        toml::from_str(&text).map_err(|error| {
            CliError::Other(format!("{} was edited or damaged: {}", path.display(), error.message()))
                .next("Restore it from git, or: heeler config pull")
        })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let audit = match self.audit.as_str() {
            "" => String::new(),
            head => format!("audit = \"{head}\"\n"),
        };
        let text = format!(
            "# Written by heeler, to be committed with heeler.toml.\nrevision = {}\nsha256 = \"{}\"\n{audit}",
            self.revision, self.sha256
        );
        write_whole(&path, &text)
    }
}

fn sha256(text: &str) -> String {
    hex(&crate::pki::sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heeler_lock_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), Lock::default());
        let lock = Lock::of(7, "text");
        lock.write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), lock);
        let head = AuditHead {
            place: FILE.into(),
            seq: 12,
            hash: vec![0xab; 32],
        };
        let lock = lock.having_seen(Some(&head));
        lock.write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap().audit_head(), Some(head));
        std::fs::write(folder.path().join(FILE), "revision = \"7\"").unwrap();
        assert!(
            Lock::read(folder.path())
                .unwrap_err()
                .text()
                .contains("heeler config pull")
        );
    }
}
