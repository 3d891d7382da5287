//! Checks an encoded message against a table of bounds, before anything is decoded, stored or shown.

mod cut;

use std::fmt;

pub use cut::cut;

include!("gen/bounds.rs");

/// The most bytes of any message: 4 MiB.
pub const MESSAGE: usize = 4 * 1024 * 1024;

/// A field of a message and its bounds.
#[derive(Debug)]
pub struct Field {
    /// The field's number in the .proto file.
    pub number: u32,
    /// The field's name in the .proto file.
    pub name: &'static str,
    /// How often the field may occur in one message.
    pub count: usize,
    /// The most bytes of one occurrence, encoded.
    pub bytes: usize,
    /// The bounds of the fields inside, when it is a message; empty for text, bytes and numbers.
    pub fields: &'static [Field],
}

const fn field(number: u32, name: &'static str, count: usize, bytes: usize, fields: &'static [Field]) -> Field {
    Field {
        number,
        name,
        count,
        bytes,
        fields,
    }
}

/// A field that exceeds its bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The field's name in the .proto file.
    pub field: &'static str,
    /// Occurrences, or bytes of one occurrence: see `in_bytes`.
    pub found: usize,
    /// The bound, in the same unit as `found`.
    pub most: usize,
    /// Whether `found` and `most` count bytes instead of occurrences.
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

/// Checks an encoded message against `fields` in one pass, without allocating. It passes over fields that the table
/// does not have and stops at malformed bytes: the decoder skips the former and refuses the latter. Its error: the
/// first field that exceeds its bound.
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
        // The inner field first: its name says more than the length of the whole.
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

/// Takes the next field off `rest`: its number, and its bytes (empty for a varint). None at the end and where the
/// message is malformed.
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
