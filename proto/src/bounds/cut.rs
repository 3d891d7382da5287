//! Shortens long texts before they are sent, so that one of them does not cost the whole message.

use prost::encoding::encode_varint;

use super::{Field, next};

const CUT: &[u8] = "…".as_bytes();

/// Cuts each text that exceeds its bound, and ends it with `…`. Counts are not changed, because a list with items
/// left out would be false; [`super::check`] still refuses those.
pub fn cut(message: &[u8], fields: &'static [Field]) -> Vec<u8> {
    let mut short = Vec::with_capacity(message.len());
    let mut rest = message;
    loop {
        let before = rest;
        let Some((number, bytes)) = next(&mut rest) else {
            // The rest of a malformed message is left to the decoder.
            short.extend_from_slice(before);
            return short;
        };
        let field = fields.iter().find(|field| field.number == number);
        let new = match field {
            Some(field) if !field.fields.is_empty() => cut(bytes, field.fields),
            Some(field) if bytes.len() > field.bytes => word(bytes, field.bytes),
            _ => Vec::new(),
        };
        if new.is_empty() || new == bytes {
            let length = before.len().saturating_sub(rest.len());
            short.extend_from_slice(before.get(..length).unwrap_or_default());
            continue;
        }
        encode_varint(u64::from(number) << 3 | 2, &mut short);
        encode_varint(new.len().try_into().unwrap_or(u64::MAX), &mut short);
        short.extend_from_slice(&new);
    }
}

fn word(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut end = most.saturating_sub(CUT.len()).min(bytes.len());
    // Never within a UTF-8 character, which the decoder would refuse.
    while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    [bytes.get(..end).unwrap_or_default(), CUT].concat()
}
