use heeler_host::RunError;

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It may pass: look again, a bounded number of times.
    Retry,
    /// A person must mend something on the node.
    NeedsPerson,
    /// Heeler and the machine do not understand each other.
    Bug,
}

impl Class {
    /// What `error` asks for.
    #[must_use]
    pub const fn of(error: &RunError) -> Self {
        match error {
            RunError::Start { .. } | RunError::Timeout { .. } | RunError::Failed { .. } => Self::Retry,
            RunError::Missing { .. } | RunError::File { .. } => Self::NeedsPerson,
            RunError::Unreadable { .. } => Self::Bug,
        }
    }

    /// What a person may do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Retry => "look at the node, then: heeler apply",
            Self::NeedsPerson => "fix it on the node, then: heeler apply",
            Self::Bug => "this is a fault of Heeler: report it with the line above",
        }
    }
}

/// `error` and what caused it, in one line.
#[must_use]
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
