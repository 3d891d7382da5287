use heeler_host::RunError;

/// What an error requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Look again, a limited number of times: it may be temporary.
    Retry,
    /// A person must fix something on the node.
    NeedsPerson,
    /// The output of a program was not understood: a fault of Heeler.
    Bug,
}

impl Class {
    /// The class of `error`.
    pub const fn of(error: &RunError) -> Self {
        match error {
            RunError::Start { .. } | RunError::Timeout { .. } | RunError::Failed { .. } => Self::Retry,
            RunError::Missing { .. } | RunError::File { .. } => Self::NeedsPerson,
            RunError::Unreadable { .. } => Self::Bug,
        }
    }

    /// The next step for a person, as part of a message.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Retry => "look at the node, then: heeler apply",
            Self::NeedsPerson => "fix the cause on the node, then: heeler apply",
            Self::Bug => "this is a fault of Heeler: report it with the line above",
        }
    }
}

/// `error` and its causes in one line, separated by colons.
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
