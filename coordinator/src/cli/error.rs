use std::io;
use std::path::PathBuf;

use tonic::{Code, Status};

use crate::config::ConfigError;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// As asked.
    Fine = 0,
    /// It did not work.
    Error = 1,
    /// Wrongly typed; for `plan --exit-code`: something would change.
    Usage = 2,
    /// Blocked: a person is needed.
    Person = 3,
    /// No coordinator.
    Unreachable = 4,
    /// Refused: an old checkout, a revoked node, no consent.
    Refused = 5,
    /// Somebody stopped watching; the work goes on.
    Stopped = 130,
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// heeler.toml is wrong.
    #[error("heeler.toml cannot be used")]
    Config(Vec<ConfigError>),
    /// There is none.
    #[error(
        "no heeler.toml in {}\nGo to its folder, name it with --config, or make one: heeler init --cluster NAME FOLDER",
        .0.display()
    )]
    NoConfig(PathBuf),
    /// A file.
    #[error("could not {what} {}: {source}", path.display())]
    File {
        /// read, write…
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody listens on the socket.
    #[error("no coordinator answers at {}\nStart it: heeler serve\nElsewhere: name its state folder with --state, or $HEELER_STATE", .0.display())]
    NotRunning(PathBuf),
    /// Nobody answers elsewhere, or not to us.
    #[error("no coordinator answers at {at}: {why}")]
    NotReached {
        /// HOST:PORT.
        at: String,
        /// What was found.
        why: String,
    },
    /// It went away.
    #[error("the connection to the coordinator was lost; running tasks continue\nLook again: heeler status")]
    Lost,
    /// It said no.
    #[error("{}", .0.message())]
    Coordinator(Box<Status>),
    /// Nobody is there to be asked.
    #[error("{0}")]
    NobodyToAsk(String),
    /// A person said no, or something else than what was asked for.
    #[error("{0}\nNothing was changed.")]
    NotConfirmed(String),
    /// A person must mend something first.
    #[error("{0}\nNothing was changed.")]
    Blocked(String),
    /// Wrongly typed.
    #[error("{0}")]
    Usage(String),
    /// Anything else: what was attempted, what was found, what to type.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    /// Whoever read stdout has seen enough: `heeler events | head`.
    pub(super) fn nobody_reads(&self) -> bool {
        matches!(self, Self::File { path, source, .. }
            if path.as_os_str() == "stdout" && source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What the program ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotRunning(_) | Self::NotReached { .. } | Self::Lost => Exit::Unreachable,
            Self::NobodyToAsk(_) | Self::NotConfirmed(_) => Exit::Refused,
            Self::Blocked(_) => Exit::Person,
            Self::Usage(_) => Exit::Usage,
            Self::Coordinator(status) => match status.code() {
                Code::FailedPrecondition | Code::PermissionDenied | Code::Aborted => Exit::Refused,
                Code::InvalidArgument => Exit::Usage,
                _ => Exit::Error,
            },
            Self::Config(_) | Self::NoConfig(_) | Self::File { .. } | Self::Other(_) => Exit::Error,
        }
    }
}

impl From<crate::trust::TrustError> for CliError {
    fn from(error: crate::trust::TrustError) -> Self {
        Self::NotConfirmed(error.to_string())
    }
}

impl From<Status> for CliError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::Unavailable => Self::Lost,
            // The coordinator's own words come without a cause: this is the transport's.
            _ if std::error::Error::source(&status).is_some() => Self::Lost,
            _ => Self::Coordinator(Box::new(status)),
        }
    }
}

/// `.map_err(file("read", path))`
pub(super) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> CliError {
    let path = path.into();
    move |source| CliError::File { what, path, source }
}
