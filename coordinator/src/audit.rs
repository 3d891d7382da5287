//! The audit log: who did what, when. A chain of hashes shows when an entry was changed, removed or inserted.

use heeler_proto::Canonical;
use heeler_store::{AuditEntry, Digest, StoreError, Tx};

/// Every action that the log may name. After `asked to …`, `: refused` or `: not known` may follow.
pub const ACTIONS: [&str; 30] = [
    "alarms seen",
    "apply",
    "asked to hold",
    "asked to release",
    "asked to take",
    "authority",
    "backup",
    "enrolled",
    "init",
    "network confirmed",
    "node add",
    "node paused",
    "node released",
    "node removed",
    "node resumed",
    "node revoked",
    "node taken over",
    "operator added",
    "operator revoked",
    "pool forgotten",
    "recovery key",
    "restored",
    "revision",
    "secret removed",
    "secret set",
    "snapshot created",
    "snapshot held",
    "snapshot released",
    "task",
    "task sent",
];

/// The last entry of a log. A copy kept elsewhere shows later that entries were cut off the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the entry; 0 before the first.
    pub seq: u64,
    /// Hash of the entry; zeros before the first.
    pub hash: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("entry {expected} is missing: entry {found} comes in its place")]
    Gap { expected: u64, found: u64 },
    #[error("entry {0} does not follow from the one before it: entry {before} was changed, or one was put in", before = .0 - 1)]
    Link(u64),
    #[error("entry {0} was changed after it was written")]
    Content(u64),
    /// The log is shorter than a head that was kept elsewhere.
    #[error("{place} records entry {seq}, but the log ends at {last}: entries were removed from its end")]
    Cut {
        place: String,
        seq: u64,
        /// Number of the log's last entry.
        last: u64,
    },
    /// The log holds another entry with the number of a head that was kept elsewhere.
    #[error("{place} records another entry {seq} than this log holds: the log was rewritten")]
    Rewritten { place: String, seq: u64 },
}

/// Adds an entry in the transaction of the change that it describes: one of [`ACTIONS`], after a colon perhaps how it
/// ended; the node, empty when it concerns none; one line for a person. Returns the new head. Fails when the database
/// cannot be written.
pub async fn write(
    tx: &mut Tx,
    operator: &str,
    (action, node, detail): (&str, &str, &str),
    at_ms: u64,
) -> Result<Head, StoreError> {
    let named = action.split(": ").next().unwrap_or_default();
    debug_assert!(ACTIONS.contains(&named), "{action:?} is not in the list of actions");
    let (last, previous) = tx.audit_head().await?;
    let mut entry = AuditEntry {
        seq: last + 1,
        at_ms,
        operator: operator.to_owned(),
        action: action.to_owned(),
        node: node.to_owned(),
        detail: detail.to_owned(),
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

/// The hash of an entry, over the hash of the one before and every field.
pub fn hash(entry: &AuditEntry) -> Digest {
    let mut bytes = Canonical::new("heeler audit entry 1");
    bytes.hash(&entry.previous).number(entry.seq).number(entry.at_ms);
    for text in [&entry.operator, &entry.action, &entry.node, &entry.detail] {
        bytes.text(text);
    }
    bytes.sha256()
}

/// Checks a log entry by entry, from the first.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    head: Head,
    known: Vec<(String, Head)>,
}

impl Walk {
    /// Also checks that the log contains these heads, each with the name of the place where it was kept.
    pub fn looking_for(known: Vec<(String, Head)>) -> Self {
        Self {
            head: Head::default(),
            known,
        }
    }

    /// The last entry that was checked.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Checks the next entry. Its error: the first fault found in it.
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

    /// Ends the check and returns the head. Fails when a head that was kept elsewhere is not in the log.
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

    #[test]
    fn the_guide_lists_every_action() {
        let guide = include_str!("../../docs/guide/audit.md");
        let rows = guide.lines().filter(|line| line.starts_with('|'));
        let spans = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
        let mut listed: Vec<_> = spans.collect();
        listed.sort_unstable();
        assert_eq!(listed, ACTIONS);
    }

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
            // Text moved from one field to the next changes the hash.
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
    fn a_removed_audit_entry_is_found() {
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
