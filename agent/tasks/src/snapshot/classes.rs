use heeler_proto::Class;

/// Taken because a person asked for it.
const BY_HAND: &str = "manual";

/// What a snapshot of ours says in its mark: which classes it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes {
    bits: u8,
}

/// Behind the classes' own bits.
const MANUAL: u8 = 1 << 6;
const UNKNOWN: u8 = 1 << 7;

impl Classes {
    /// Of these.
    #[must_use]
    pub fn of(classes: impl IntoIterator<Item = Class>) -> Self {
        Self {
            bits: classes.into_iter().fold(0, |bits, class| bits | 1 << class as u8),
        }
    }

    /// Of a snapshot that a person asked for.
    #[must_use]
    pub const fn manual() -> Self {
        Self { bits: MANUAL }
    }

    /// From a mark. A word of a later Heeler is remembered as such.
    #[must_use]
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

    /// As a mark.
    #[must_use]
    pub fn mark(self) -> String {
        let mut words: Vec<&str> = self.iter().map(Class::word).collect();
        words.extend(self.is_manual().then_some(BY_HAND));
        words.join(",")
    }

    /// Whether it serves this one.
    #[must_use]
    pub const fn has(self, class: Class) -> bool {
        self.bits & (1 << class as u8) != 0
    }

    /// Whether a person asked for it.
    #[must_use]
    pub const fn is_manual(self) -> bool {
        self.bits & MANUAL != 0
    }

    /// Whether it says something that this version does not know.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        self.bits & UNKNOWN != 0
    }

    /// Whether it serves none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The ones of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
        }
    }

    /// Each, the shortest first.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |class| self.has(*class))
    }

    /// The longest: what the snapshot is named after.
    #[must_use]
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
