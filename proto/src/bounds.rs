//! An encoded message is held against one table of bounds, before anything is decoded, stored or shown.

mod cut;
mod operators;
mod table;

use std::fmt;

pub use cut::cut;
pub use operators::OPERATOR;
pub use table::{ENROL, FROM_AGENT, MESSAGE};

/// A field of a message, with what it may hold.
#[derive(Debug)]
pub struct Field {
    /// As the .proto files number it.
    pub number: u32,
    /// As they name it.
    pub name: &'static str,
    /// How often it may come in one message.
    pub count: usize,
    /// Bytes of one of them, encoded.
    pub bytes: usize,
    /// The fields of a message; empty for a word, bytes or a number.
    pub fields: &'static [Field],
}

/// What is beyond its bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The field's name in the .proto files.
    pub field: &'static str,
    /// How many there are, or how many bytes one of them has.
    pub found: usize,
    /// The bound.
    pub most: usize,
    /// Bytes are counted, not how often it comes.
    pub in_bytes: bool,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found, most, .. } = self;
        match self.in_bytes {
            true => write!(f, "{field} of {found} bytes, at most {most}"),
            false => write!(f, "{found} {field}, at most {most}"),
        }
    }
}

/// Holds an encoded message against the table, in one pass that keeps nothing. What is not in the table, or is broken, is
/// the decoder's business: it skips the one and refuses the other.
///
/// # Errors
/// The first thing that is beyond its bound.
pub fn check(message: &[u8], fields: &'static [Field]) -> Result<(), Excess> {
    let mut counts = [0_usize; 32];
    let mut rest = message;
    while let Some((number, bytes)) = next(&mut rest) {
        let Some(place) = fields.iter().position(|field| field.number == number) else {
            continue;
        };
        let field = &fields[place];
        counts[place] = counts[place].saturating_add(1);
        if counts[place] > field.count {
            let more = std::iter::from_fn(|| next(&mut rest)).filter(|(next, _)| *next == number);
            return Err(Excess {
                field: field.name,
                found: counts[place].saturating_add(more.count()),
                most: field.count,
                in_bytes: false,
            });
        }
        // What is inside says more than how long all of it is.
        if !field.fields.is_empty() {
            check(bytes, field.fields)?;
        }
        if bytes.len() > field.bytes {
            return Err(Excess {
                field: field.name,
                found: bytes.len(),
                most: field.bytes,
                in_bytes: true,
            });
        }
    }
    Ok(())
}

/// The next field's number, and its bytes where it has a length; None at the end, or where the message is broken.
pub fn next<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let key = varint(rest)?;
    let number = u32::try_from(key >> 3).ok()?;
    let length = match key & 7 {
        0 => {
            varint(rest)?;
            return Some((number, &[]));
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((number, bytes))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7F).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
