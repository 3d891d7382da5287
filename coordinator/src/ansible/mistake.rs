use std::fmt;

/// A mistake in an inventory. It does not quote the line, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    /// Line number, from 1.
    pub(crate) line: usize,
    /// What was found, as a clause.
    pub(crate) found: String,
    /// What to write instead.
    pub(crate) next: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.line, self.found, self.next)
    }
}

/// A mistake in a part of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    found: String,
    next: String,
}

impl Wrong {
    pub(super) fn new(found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            next: next.into(),
        }
    }

    pub(super) fn at(self, line: usize) -> Mistake {
        Mistake {
            line,
            found: self.found,
            next: self.next,
        }
    }
}
