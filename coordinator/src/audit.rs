//! The audit log: who did what, when, chained by hashes so that no entry can be changed, taken out or put in unseen.

use heeler_store::{AuditEntry, Digest, StoreError, Tx};

use crate::pki::sha256;

/// What was done, without who and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed<'a> {
    /// In a word or two: `apply`, `node revoked`…
    pub action: &'a str,
    /// Empty for what concerns no node.
    pub node: &'a str,
    /// More of it, in a line.
    pub detail: &'a str,
}

/// The last entry of a log: whoever keeps it elsewhere sees that entries were cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A number is missing.
    #[error("entry {expected} is missing: entry {found} comes in its place")]
    Gap {
        /// The one that was due.
        expected: u64,
        /// The one that is there.
        found: u64,
    },
    /// An entry names another one before it than is there.
    #[error("entry {0} does not follow from the one before it: entry {before} was changed, or one was put in", before = .0 - 1)]
    Link(u64),
    /// An entry is not what was written.
    #[error("entry {0} was changed after it was written")]
    Content(u64),
    /// A head that was seen elsewhere is not in the log.
    #[error("{place} records entry {seq}, but the log ends at {last}: entries were removed from its end")]
    Cut {
        /// Where the head was kept.
        place: String,
        /// Its number.
        seq: u64,
        /// The log's last.
        last: u64,
    },
    /// The entry of that number is another one.
    #[error("{place} records another entry {seq} than this log holds: the log was rewritten")]
    Rewritten {
        /// Where the head was kept.
        place: String,
        /// Its number.
        seq: u64,
    },
}

/// Writes one more entry, in the transaction that changes what it tells of.
///
/// # Errors
/// When the database cannot be written.
pub async fn write(tx: &mut Tx, deed: Deed<'_>, operator: &str, at_ms: u64) -> Result<Head, StoreError> {
    let (last, previous) = tx.audit_head().await?;
    let mut entry = AuditEntry {
        seq: last + 1,
        at_ms,
        operator: operator.to_owned(),
        action: deed.action.to_owned(),
        node: deed.node.to_owned(),
        detail: deed.detail.to_owned(),
        previous,
        hash: [0; 32],
    };
    entry.hash = hash(&entry);
    tx.add_audit(&entry).await?;
    Ok(Head {
        seq: entry.seq,
        hash: entry.hash,
    })
}

/// SHA-256 over a canonical encoding: a label, the hash before, number and time as eight bytes each, and every text with
/// its length before it. No two entries have one encoding.
#[must_use]
pub fn hash(entry: &AuditEntry) -> Digest {
    let mut bytes = b"heeler audit entry 1\0".to_vec();
    bytes.extend(entry.previous);
    bytes.extend(entry.seq.to_be_bytes());
    bytes.extend(entry.at_ms.to_be_bytes());
    for text in [&entry.operator, &entry.action, &entry.node, &entry.detail] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    sha256(&bytes)
}

/// Walks a log from its first entry on.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    head: Head,
    known: Vec<(String, Head)>,
}

impl Walk {
    /// Also looks for heads that were kept elsewhere, each with the name of the place.
    #[must_use]
    pub fn looking_for(known: Vec<(String, Head)>) -> Self {
        Self {
            head: Head::default(),
            known,
        }
    }

    /// How far it came.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The next entry.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn step(&mut self, entry: &AuditEntry) -> Result<(), Break> {
        let expected = self.head.seq + 1;
        if entry.seq != expected {
            return Err(Break::Gap {
                expected,
                found: entry.seq,
            });
        }
        if entry.previous != self.head.hash {
            return Err(Break::Link(entry.seq));
        }
        if entry.hash != hash(entry) {
            return Err(Break::Content(entry.seq));
        }
        self.head = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        let other = |(_, head): &&(String, Head)| head.seq == entry.seq && head.hash != entry.hash;
        match self.known.iter().find(other) {
            Some((place, head)) => Err(Break::Rewritten {
                place: place.clone(),
                seq: head.seq,
            }),
            None => Ok(()),
        }
    }

    /// After the last entry.
    ///
    /// # Errors
    /// When somebody has seen one that is not there.
    pub fn end(self) -> Result<Head, Break> {
        match self.known.into_iter().find(|(_, head)| head.seq > self.head.seq) {
            Some((place, head)) => Err(Break::Cut {
                place,
                seq: head.seq,
                last: self.head.seq,
            }),
            None => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(count: u64) -> Vec<AuditEntry> {
        let mut log: Vec<AuditEntry> = Vec::new();
        for seq in 1..=count {
            let mut entry = AuditEntry {
                seq,
                at_ms: seq * 10,
                operator: "me".into(),
                action: "apply".into(),
                node: "a".into(),
                detail: format!("revision {seq}"),
                previous: log.last().map_or([0; 32], |last| last.hash),
                hash: [0; 32],
            };
            entry.hash = hash(&entry);
            log.push(entry);
        }
        log
    }

    fn walked(log: &[AuditEntry], known: Vec<(String, Head)>) -> Result<Head, Break> {
        let mut walk = Walk::looking_for(known);
        log.iter().try_for_each(|entry| walk.step(entry))?;
        walk.end()
    }

    #[test]
    fn every_changed_audit_entry_is_found() {
        let changes: [fn(&mut AuditEntry); 7] = [
            |entry| entry.at_ms += 1,
            |entry| entry.operator.push('x'),
            |entry| entry.action.push('x'),
            |entry| entry.node.clear(),
            |entry| entry.detail.push('x'),
            |entry| entry.hash[0] ^= 1,
            // What moves from one field into the next is not the same.
            |entry| {
                entry.operator = "meapp".into();
                entry.action = "ly".into();
            },
        ];
        for seq in 1..=5_usize {
            for change in changes {
                let mut log = log(5);
                change(&mut log[seq - 1]);
                assert_eq!(walked(&log, vec![]), Err(Break::Content(seq as u64)));
            }
        }
    }

    #[test]
    fn a_rehashed_audit_entry_breaks_the_next() {
        let mut log = log(5);
        log[2].detail = "nothing".into();
        log[2].hash = hash(&log[2]);
        assert_eq!(walked(&log, vec![]), Err(Break::Link(4)));
    }

    #[test]
    fn an_entry_that_was_taken_out_is_missed() {
        let mut log = log(5);
        log.remove(1);
        assert_eq!(walked(&log, vec![]), Err(Break::Gap { expected: 2, found: 3 }));
        log.remove(0);
        assert_eq!(walked(&log, vec![]), Err(Break::Gap { expected: 1, found: 3 }));
    }

    #[test]
    fn a_kept_head_reveals_a_truncated_log() {
        let whole = log(5);
        let seen = |seq: usize, log: &[AuditEntry]| {
            let entry = &log[seq - 1];
            let head = Head {
                seq: entry.seq,
                hash: entry.hash,
            };
            vec![("heeler.lock".to_owned(), head)]
        };
        assert!(walked(&whole, seen(3, &whole)).is_ok());
        assert!(matches!(
            walked(&whole[..3], seen(5, &whole)),
            Err(Break::Cut { seq: 5, last: 3, .. })
        ));
        let mut anew = log(5);
        anew[1].detail = "something else".into();
        for at in 1..5 {
            anew[at].previous = anew[at - 1].hash;
            anew[at].hash = hash(&anew[at]);
        }
        assert!(walked(&anew, vec![]).is_ok());
        assert!(matches!(
            walked(&anew, seen(4, &whole)),
            Err(Break::Rewritten { seq: 4, .. })
        ));
    }
}
