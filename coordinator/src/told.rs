//! The parts of an error's text. They go over the wire beside the text, so that nobody takes a sentence apart.

use heeler_proto::v1::Told;
use prost::Message as _;
use tonic::{Code, Status};

/// Bytes of a text that is sent with its parts: a status is a header, and must be small. A longer one is sent alone.
const MOST: usize = 2048;

/// "NODE: what was found".
pub(crate) fn head(told: &Told) -> String {
    match told.node.as_str() {
        "" => told.what.clone(),
        node => format!("{node}: {}", told.what),
    }
}

/// The same, and on the next line what to type.
pub(crate) fn text(told: &Told) -> String {
    format!("{}\n{}", head(told), told.next).trim_end().to_owned()
}

/// A status with this text and its parts.
pub(crate) fn status(code: Code, told: &Told) -> Status {
    let text = text(told);
    let parts = if text.len() <= MOST {
        told.encode_to_vec()
    } else {
        Vec::new()
    };
    Status::with_details(code, text, parts.into())
}

/// The parts of a status; one without parts is `what` as a whole.
pub(crate) fn of(status: &Status) -> Told {
    let parts = (!status.details().is_empty()).then(|| Told::decode(status.details()).ok());
    parts.flatten().unwrap_or_else(|| Told {
        what: status.message().to_owned(),
        ..Told::default()
    })
}
