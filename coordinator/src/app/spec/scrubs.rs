use heeler_proto::{KeepScrubs, ScrubEvery};

use super::{Asked, Source};

/// First hour of the day for scrubs (UTC), and hours from one slot to the next.
const HOURS: (usize, usize) = (2, 3);

impl Asked for KeepScrubs {
    /// None without a pool.
    fn from(source: &Source<'_>) -> Option<Self> {
        let wanted = source.wanted;
        let (day, hour) = slot(wanted.scrub, wanted.place);
        (!wanted.disks.is_empty()).then(|| Self {
            pool: wanted.pool.clone(),
            every: wanted.scrub,
            day,
            hour,
        })
    }
}

/// Day (1 and up) and hour (UTC) of the scrub of the node with that place among the names. No two of 56 places in a
/// week, or 224 in a month, get the same hour.
fn slot(every: ScrubEvery, place: usize) -> (u32, u32) {
    let (days, bits) = match every {
        ScrubEvery::Month => (28, 5),
        ScrubEvery::Week => (7, 3),
        ScrubEvery::Never => return (0, 0),
    };
    let reversed = |n: u32| n.reverse_bits() >> (u32::BITS - bits);
    let order: Vec<u32> = (0..1 << bits).map(reversed).filter(|day| *day < days).collect();
    let (round, at) = (place / order.len(), place % order.len());
    let hour = (HOURS.0 + HOURS.1 * round) % 24;
    (order[at] + 1, u32::try_from(hour).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_nodes_scrub_in_the_same_hour() {
        let slots: BTreeSet<(u32, u32)> = (0..200).map(|place| slot(ScrubEvery::Month, place)).collect();
        assert_eq!(slots.len(), 200);
        assert!(slots.iter().all(|(day, hour)| (1..=28).contains(day) && *hour < 24));
        let first = [0, 1, 2, 3].map(|place| slot(ScrubEvery::Month, place));
        assert_eq!(first, [(1, 2), (17, 2), (9, 2), (25, 2)]);
        let weekly: BTreeSet<(u32, u32)> = (0..56).map(|place| slot(ScrubEvery::Week, place)).collect();
        assert_eq!(weekly.len(), 56);
    }
}
