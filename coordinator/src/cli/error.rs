use std::io;
use std::path::PathBuf;

use tonic::{Code, Status};

use crate::config::ConfigError;
use crate::known::Unknown;
use crate::told;

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

/// Why a command failed. It is displayed as what was attempted and found; [`CliError::text`] adds what to type.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("heeler.toml cannot be used")]
    Config(Vec<ConfigError>),
    #[error("no heeler.toml in {}", .0.display())]
    NoConfig(PathBuf),
    #[error("could not {what} {}: {source}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("no coordinator answers at {}", .0.display())]
    NotRunning(PathBuf),
    #[error("there is no coordinator in {}", .0.display())]
    NoState(PathBuf),
    /// A coordinator on another machine cannot be reached, or refuses this certificate.
    #[error("no coordinator answers at {at}: {why}")]
    NotReached {
        at: String,
        /// What was found, as a clause.
        why: String,
    },
    #[error("the connection to the coordinator was lost; running tasks continue")]
    Lost,
    #[error("{}", told::head(&told::of(.0)))]
    Coordinator(Box<Status>),
    /// An answer is needed, and there is no terminal.
    #[error("{0}")]
    NobodyToAsk(String),
    /// The person declined, or typed another word.
    #[error("{0}")]
    NotConfirmed(String),
    #[error("{0}")]
    Blocked(String),
    /// The options or arguments are wrong.
    #[error("{0}")]
    Usage(String),
    /// Another error, with what to type.
    #[error("{error}")]
    Advised { error: Box<CliError>, next: String },
    /// Any other failure: what was attempted, what was found, what to type.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    /// This error, with what to type.
    pub(super) fn next(self, next: impl Into<String>) -> Self {
        let (error, next) = (Box::new(self), next.into());
        Self::Advised { error, next }
    }

    /// What to type; empty when nothing helps.
    pub(super) fn advice(&self) -> String {
        let fixed = match self {
            Self::NoConfig(_) => {
                "Go to its folder, name it with --config, or make one: heeler init --cluster NAME FOLDER"
            }
            Self::NotRunning(_) => {
                "Start it: heeler serve\nIn another folder of this machine: name it with --state, or $HEELER_STATE; on \
                 another machine: --coordinator HOST:PORT, or $HEELER_COORDINATOR"
            }
            Self::NoState(_) => {
                "On another machine: --coordinator HOST:PORT, or $HEELER_COORDINATOR\nIn another folder of this machine: \
                 name it with --state, or $HEELER_STATE\nA new one: heeler init --cluster NAME FOLDER"
            }
            Self::Lost => "Look again: heeler status",
            Self::NotConfirmed(_) | Self::Blocked(_) => "Nothing was changed.",
            Self::Coordinator(status) => return told::of(status).next,
            Self::Advised { error, next } => return format!("{next}\n{}", error.advice()).trim_end().to_owned(),
            Self::Config(_)
            | Self::File { .. }
            | Self::NotReached { .. }
            | Self::NobodyToAsk(_)
            | Self::Usage(_)
            | Self::Other(_) => "",
        };
        fixed.to_owned()
    }

    /// All that a person reads.
    pub(super) fn text(&self) -> String {
        format!("{self}\n{}", self.advice()).trim_end().to_owned()
    }

    /// Whether stdout was closed, as by `heeler events | head`.
    pub(super) fn nobody_reads(&self) -> bool {
        matches!(self, Self::File { path, source, .. }
            if path.as_os_str() == "stdout" && source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code for this error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotRunning(_) | Self::NoState(_) | Self::NotReached { .. } | Self::Lost => Exit::Unreachable,
            Self::NobodyToAsk(_) | Self::NotConfirmed(_) => Exit::Refused,
            Self::Blocked(_) => Exit::Person,
            Self::Usage(_) => Exit::Usage,
            Self::Advised { error, .. } => error.exit(),
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

impl From<Unknown> for CliError {
    fn from(unknown: Unknown) -> Self {
        Self::Other(unknown.what).next(unknown.next)
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

/// `.map_err(failed)`, for an error that names what to type itself.
pub(super) fn failed(error: impl std::error::Error) -> CliError {
    CliError::Other(in_full(&error))
}

/// The error with its causes, each text once.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
