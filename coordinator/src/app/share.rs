//! How many bytes one node or one row may take in a reply about all of them, so that no node can make a list
//! unreadable.

use heeler_proto::v1;
use prost::Message;

/// Largest reply, in bytes: what the command line accepts.
pub(crate) const MOST: usize = 16 << 20;
/// Bytes for all plans of one reply together.
const REPLY: usize = MOST / 2;
/// Bytes for any other list: clients accept 4 MiB by default (gRPC).
const LISTED: usize = 3 << 20;
/// Fewest bytes for a node, however many nodes there are.
const LEAST: usize = 2 << 10;

/// Bytes for the plan of each of `nodes` nodes.
pub(super) fn share(nodes: usize) -> usize {
    REPLY.checked_div(nodes).unwrap_or(REPLY).max(LEAST)
}

/// Bytes for each of `rows` rows of a list.
pub(super) fn of_list(rows: usize) -> usize {
    LISTED.checked_div(rows).unwrap_or(LISTED)
}

/// The first rows, as many as one reply holds; at least one.
pub(super) fn fitting<T: Message>(rows: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut used = 0_usize;
    let fits = |row: &T| {
        let first = used == 0;
        // Protobuf adds a tag and a length to each row.
        used = used.saturating_add(row.encoded_len()).saturating_add(8);
        first || used <= LISTED
    };
    rows.into_iter().take_while(fits).collect()
}

/// Removes the lists from facts of more than `share` bytes.
pub(super) fn within(share: usize, facts: v1::Facts) -> v1::Facts {
    if facts.encoded_len() <= share {
        return facts;
    }
    v1::Facts {
        disks: Vec::new(),
        nics: Vec::new(),
        pools: Vec::new(),
        unreadable_pools: Vec::new(),
        schedule: None,
        ..facts
    }
}

/// Removes file contents and the lists of what would be lost from steps of more than `share` bytes. Each operation
/// keeps its summary.
pub(super) fn shortened_steps(share: usize, steps: &[v1::StepReport]) -> Vec<v1::StepReport> {
    let mut steps = steps.to_vec();
    if steps.iter().map(v1::StepReport::encoded_len).sum::<usize>() > share {
        for op in steps.iter_mut().flat_map(|step| &mut step.ops) {
            (op.before, op.after, op.irreversible) = (String::new(), String::new(), None);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oversized_facts_come_without_lists() {
        let facts = v1::Facts {
            model: "Pi 5".into(),
            disks: vec![v1::Disk::default(); 100],
            ..v1::Facts::default()
        };
        assert_eq!(within(share(5), facts.clone()), facts);
        let brief = within(100, facts);
        assert_eq!((brief.model.as_str(), brief.disks.len()), ("Pi 5", 0));
    }

    #[test]
    fn the_shares_of_all_nodes_fit_into_one_reply() {
        for nodes in [0, 1, 5, 1_000, 4_000] {
            assert!(share(nodes) * nodes <= REPLY, "{nodes}");
        }
    }

    #[test]
    fn a_list_of_large_rows_fits_the_reply() {
        let row = |bytes| v1::AuditEntry {
            detail: "x".repeat(bytes),
            ..v1::AuditEntry::default()
        };
        let long = fitting((0..1000).map(|_| row(100_000)));
        assert_eq!(long.len(), 31);
        assert!(v1::ListAuditReply { entries: long, last: 1 }.encoded_len() <= LISTED);
        assert_eq!(fitting((0..1000).map(|_| row(100))).len(), 1000);
        assert_eq!(fitting([row(LISTED + 1), row(1)]).len(), 1);
        assert_eq!(of_list(0), LISTED);
    }

    #[test]
    fn oversized_steps_keep_their_summaries() {
        let op = v1::OpPreview {
            summary: "write a file".into(),
            after: "x".repeat(1 << 20),
            ..v1::OpPreview::default()
        };
        let steps = [v1::StepReport {
            ops: vec![op; 3],
            ..v1::StepReport::default()
        }];
        assert_eq!(shortened_steps(4 << 20, &steps), steps);
        let brief = shortened_steps(1 << 20, &steps);
        assert!(
            brief[0]
                .ops
                .iter()
                .all(|op| op.summary == "write a file" && op.after.is_empty())
        );
    }
}
