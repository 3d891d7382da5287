use std::collections::BTreeSet;

use heeler_proto::{PoolSpec, Serial};

use crate::storage::words;

/// The places in a mirror, with the serials in each: several while a disk is replaced or a spare is in use, none when
/// its disk is not in this node.
pub(super) struct Places<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Places<'a> {
    /// From each leg's `replacing-…` or `spare-…` vdev (empty for most) and its serial.
    pub(super) fn of(legs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, serial) in legs {
            match places.iter_mut().find(|(known, _)| !name.is_empty() && *known == name) {
                Some((_, serials)) => serials.extend(serial),
                None => places.push((name, serial.into_iter().collect())),
            }
        }
        Self(places)
    }

    /// One serial for each place. Of several in one place, the wanted one. For a place without a disk, the serial on
    /// record, else the wanted one, that is in no other place.
    pub(super) fn serials(&self, spec: &'a PoolSpec) -> BTreeSet<&'a str> {
        let wanted = words::set(&spec.serials);
        let choose = |serials: &Vec<&'a str>| {
            serials
                .iter()
                .find(|one| wanted.contains(*one))
                .or(serials.first())
                .copied()
        };
        let mut chosen: BTreeSet<&str> = self.0.iter().filter_map(|(_, serials)| choose(serials)).collect();
        let lost = self.0.iter().filter(|(_, serials)| serials.is_empty()).count();
        // Serials on record that are also wanted come first, because the record may have more legs than the pool.
        let mut names: Vec<&str> = spec
            .recorded_serials
            .iter()
            .chain(&spec.serials)
            .map(Serial::as_str)
            .collect();
        names.retain(|name| !self.0.iter().any(|(_, serials)| serials.contains(name)));
        let recorded = |name: &str| spec.recorded_serials.iter().any(|one| one.as_str() == name);
        names.sort_by_key(|name| (!recorded(name), !wanted.contains(name)));
        names.dedup();
        chosen.extend(names.into_iter().take(lost));
        chosen
    }

    /// The number of places without a disk for which no serial is on record or wanted.
    pub(super) fn nameless(&self, spec: &'a PoolSpec) -> usize {
        self.0.len().saturating_sub(self.serials(spec).len())
    }
}
