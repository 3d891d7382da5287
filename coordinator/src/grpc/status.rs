use std::error::Error as _;

use heeler_proto::v1::Told;
use tonic::{Code, Status};
use tracing::error;

use crate::app::{App, AppError};
use crate::told;

/// Turns every error into a status. The coordinator's own faults are logged with their causes and sent without them.
/// A full disk is recorded for the status.
pub(super) fn status(app: &App, error: &AppError) -> Status {
    app.heed(error);
    let (kind, told) = match error {
        AppError::Told { kind, told } => (kind.as_ref(), told.clone()),
        plain => (
            plain,
            Told {
                what: plain.to_string(),
                ..Told::default()
            },
        ),
    };
    let code = match kind {
        AppError::NotFound(_) => Code::NotFound,
        AppError::Taken(_) => Code::AlreadyExists,
        AppError::Invalid(_) => Code::InvalidArgument,
        AppError::Refused(_) => Code::FailedPrecondition,
        AppError::Behind { .. } => Code::Aborted,
        AppError::Consent { .. } | AppError::Denied(_) => Code::PermissionDenied,
        // An agent takes this as: try again, and keep the token.
        AppError::Throttled => Code::Unavailable,
        AppError::Told { .. }
        | AppError::Store(_)
        | AppError::Pki(_)
        | AppError::NoRoom(_)
        | AppError::Stored { .. } => Code::Internal,
    };
    if code == Code::Internal {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain = format!("{chain}: {cause}");
            source = cause.source();
        }
        error!("{chain}");
    }
    if error.is_no_room() {
        return Status::new(
            code,
            "the coordinator's disk is full or failing: nothing was changed. Make room where its state is (df -h, heeler \
             handbook), then do it again",
        );
    }
    told::status(code, &told)
}

/// The error for a caller that breaks the protocol.
pub(super) fn protocol(what: &'static str) -> Status {
    Status::new(Code::InvalidArgument, what)
}
