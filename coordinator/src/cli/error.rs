use std::io;
use std::path::PathBuf;

use tonic::{Code, Status};

use crate::config::ConfigError;

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done as asked.
    Fine = 0,
    /// Failed.
    Error = 1,
    /// Wrong usage; with `plan --exit-code`: something would change.
    Usage = 2,
    /// Blocked: a person must decide.
    Person = 3,
    /// The coordinator cannot be reached.
    Unreachable = 4,
    /// Refused: an old checkout, a revoked node, no consent.
    Refused = 5,
    /// The user stopped watching; the work continues.
    Stopped = 130,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// heeler.toml has mistakes.
    #[error("heeler.toml cannot be used")]
    Config(Vec<ConfigError>),
    /// The folder has no heeler.toml.
    #[error(
        "no heeler.toml in {}\nGo to its folder, name it with --config, or make one: heeler init --cluster NAME FOLDER",
        .0.display()
    )]
    NoConfig(PathBuf),
    /// A file could not be used.
    #[error("could not {what} {}: {source}", path.display())]
    File {
        /// The attempt, as a verb: "read", "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// No coordinator listens on the socket.
    #[error(
        "no coordinator answers at {}\nStart it: heeler serve\nIn another folder of this machine: name it with --state, or \
         $HEELER_STATE; on another machine: --coordinator HOST:PORT, or $HEELER_COORDINATOR",
        .0.display()
    )]
    NotRunning(PathBuf),
    /// The state folder does not exist, or holds no coordinator.
    #[error(
        "there is no coordinator in {}\nOn another machine: --coordinator HOST:PORT, or $HEELER_COORDINATOR\nIn \
         another folder of this machine: name it with --state, or $HEELER_STATE\nA new one: heeler init --cluster NAME FOLDER",
        .0.display()
    )]
    NoState(PathBuf),
    /// A coordinator on another machine cannot be reached, or refuses this certificate.
    #[error("no coordinator answers at {at}: {why}")]
    NotReached {
        /// HOST:PORT.
        at: String,
        /// What was found, as a clause.
        why: String,
    },
    /// The connection was lost during the call.
    #[error("the connection to the coordinator was lost; running tasks continue\nLook again: heeler status")]
    Lost,
    /// The coordinator refused; the status has its text.
    #[error("{}", .0.message())]
    Coordinator(Box<Status>),
    /// An answer is needed, and there is no terminal.
    #[error("{0}")]
    NobodyToAsk(String),
    /// The person declined, or typed another word.
    #[error("{0}\nNothing was changed.")]
    NotConfirmed(String),
    /// A person must change something first.
    #[error("{0}\nNothing was changed.")]
    Blocked(String),
    /// The options or arguments are wrong.
    #[error("{0}")]
    Usage(String),
    /// Any other failure: what was attempted, what was found, what to type.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    /// Whether stdout was closed, as by `heeler events | head`.
    pub(super) fn nobody_reads(&self) -> bool {
        matches!(self, Self::File { path, source, .. }
            if path.as_os_str() == "stdout" && source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code for this error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotRunning(_) | Self::NoState(_) | Self::NotReached { .. } | Self::Lost => Exit::Unreachable,
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
            // The coordinator's own errors have no source; this one is the transport's.
            _ if std::error::Error::source(&status).is_some() => Self::Lost,
            _ => Self::Coordinator(Box::new(status)),
        }
    }
}

/// `.map_err(file("read", path))`
pub(super) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> CliError {
    let path = path.into();
    move |source| match source.kind() {
        io::ErrorKind::InvalidData => {
            CliError::Other(format!("could not {what} {}: it is not a text file", path.display()))
        }
        _ => CliError::File { what, path, source },
    }
}
