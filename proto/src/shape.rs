//! How values of messages look as JSON, where serde has no own form for them.

use serde::{Serialize, Serializer};

/// Bytes are lower-case hex.
pub(crate) fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::hex(bytes))
}

/// A number of an enum is its word; one that this version does not know is the word for 0.
pub(crate) fn word<E: TryFrom<i32> + Default + Serialize, S: Serializer>(
    number: &i32,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    E::try_from(*number).unwrap_or_default().serialize(serializer)
}
