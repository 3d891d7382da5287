use heeler_proto::Class;

/// The word in the mark of a snapshot that a person requested.
const BY_HAND: &str = "manual";

/// The mark of one of Heeler's snapshots: the classes that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes {
    bits: u8,
}

/// Above the bits of the classes.
const MANUAL: u8 = 1 << 6;
const UNKNOWN: u8 = 1 << 7;

impl Classes {
    /// With these classes.
    pub fn of(classes: impl IntoIterator<Item = Class>) -> Self {
        Self {
            bits: classes.into_iter().fold(0, |bits, class| bits | 1 << class as u8),
        }
    }

    /// For a snapshot that a person requested.
    pub const fn manual() -> Self {
        Self { bits: MANUAL }
    }

    /// Reads a mark. A word that this version does not know sets [`Self::is_unknown`].
    pub fn read(mark: &str) -> Self {
        let bit = |word: &str| match Class::ALL.into_iter().find(|class| class.word() == word) {
            Some(class) => 1 << class as u8,
            None if word == BY_HAND => MANUAL,
            None => UNKNOWN,
        };
        Self {
            bits: mark.split(',').fold(0, |bits, word| bits | bit(word)),
        }
    }

    /// The mark: words separated by commas.
    pub fn mark(self) -> String {
        let mut words: Vec<&str> = self.iter().map(Class::word).collect();
        words.extend(self.is_manual().then_some(BY_HAND));
        words.join(",")
    }

    /// Whether it serves the class.
    pub const fn has(self, class: Class) -> bool {
        self.bits & (1 << class as u8) != 0
    }

    /// Whether a person requested the snapshot.
    pub const fn is_manual(self) -> bool {
        self.bits & MANUAL != 0
    }

    /// Whether the mark has a word that this version does not know.
    pub const fn is_unknown(self) -> bool {
        self.bits & UNKNOWN != 0
    }

    /// Whether the mark has no word at all.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The classes of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
        }
    }

    /// Its classes, the shortest period first.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |class| self.has(*class))
    }

    /// The class with the longest period, or "manual": part of the snapshot's name.
    pub fn longest(self) -> &'static str {
        self.iter().last().map_or(BY_HAND, Class::word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_marks_round_trip() {
        let both = Classes::of([Class::Hourly, Class::Yearly]);
        assert_eq!((both.mark().as_str(), both.longest()), ("hourly,yearly", "yearly"));
        assert_eq!(Classes::read(&both.mark()), both);
        assert_eq!(Classes::read(&Classes::manual().mark()), Classes::manual());
        assert!(Classes::read("hourly,decennial").is_unknown());
        assert!(Classes::read("").is_unknown());
        assert!(!both.is_unknown() && !both.is_manual());
    }
}
