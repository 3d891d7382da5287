use super::crc::crc32;
use super::{Entry, JournalError};

/// The first line: the kind and version of the file.
pub const HEADER: &[u8] = b"heeler journal 1\n";

/// One line: the CRC-32 of the JSON in hex, a space, the entry as JSON. Fails when it cannot be encoded as JSON.
pub fn line(entry: &Entry) -> Result<Vec<u8>, JournalError> {
    let json = serde_json::to_string(entry).map_err(JournalError::Encode)?;
    Ok(format!("{:08x} {json}\n", crc32(json.as_bytes())).into_bytes())
}

#[derive(Debug, PartialEq)]
pub struct Found {
    pub entries: Vec<Entry>,
    /// Length in bytes up to the last intact entry; 0 when the header is incomplete.
    pub length: usize,
}

/// Reads a journal. A damaged end, as a power cut leaves it, is ignored. Damage before intact lines is an error,
/// because a used consent may have been there. Fails when it is damaged, or from an unknown version.
pub fn parse(bytes: &[u8]) -> Result<Found, JournalError> {
    let Some(rest) = bytes.strip_prefix(HEADER) else {
        return if HEADER.starts_with(bytes) {
            Ok(Found {
                entries: Vec::new(),
                length: 0,
            })
        } else {
            Err(JournalError::Header)
        };
    };
    let mut found = Found {
        entries: Vec::new(),
        length: HEADER.len(),
    };
    let mut torn_at = None;
    for (number, raw) in rest.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match (whole(raw), torn_at) {
            (Some(json), None) => {
                let entry = serde_json::from_slice(json.as_bytes()).map_err(|source| JournalError::Unknown {
                    line: number + 2,
                    source,
                })?;
                found.entries.push(entry);
                found.length += raw.len();
            }
            (None, None) if !hides_one(raw) => torn_at = Some(number + 2),
            (None, None) => return Err(JournalError::Damaged { line: number + 2 }),
            (None, Some(_)) => {}
            (Some(_), Some(line)) => return Err(JournalError::Damaged { line }),
        }
    }
    Ok(found)
}

/// The JSON of an intact line.
fn whole(raw: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(raw.strip_suffix(b"\n")?).ok()?;
    let (crc, json) = text.split_once(' ')?;
    let fits = crc.len() == 8 && u32::from_str_radix(crc, 16).ok()? == crc32(json.as_bytes());
    fits.then_some(json)
}

/// Whether an intact line follows in the same line, because the line feed between them was lost.
fn hides_one(raw: &[u8]) -> bool {
    (1..raw.len()).any(|at| raw.get(at + 8) == Some(&b' ') && whole(&raw[at..]).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = HEADER.to_vec();
        let mut ends = vec![bytes.len()];
        for seq in 1..=4 {
            bytes.extend(line(&Entry::Acknowledged { seq }).unwrap());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn every_prefix_opens_and_loses_at_most_the_torn_entry() {
        let (bytes, ends) = recorded();
        for cut in 0..=bytes.len() {
            let found = parse(&bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(found.entries.len(), whole.saturating_sub(1), "cut at {cut}");
            assert_eq!(found.length, ends[..whole].last().copied().unwrap_or(0), "cut at {cut}");
        }
    }

    #[test]
    fn garbage_after_the_last_complete_entry_counts_as_torn() {
        let (mut bytes, ends) = recorded();
        bytes.extend([0; 300]);
        bytes.extend(b"\n\n0000 {}\n");
        assert_eq!(parse(&bytes).unwrap().length, *ends.last().unwrap());
    }

    #[test]
    fn a_flipped_bit_is_not_a_torn_tail() {
        let (bytes, ends) = recorded();
        for at in ends[0]..ends[3] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x04;
            let found = parse(&bytes);
            assert!(matches!(found, Err(JournalError::Damaged { .. })), "at {at}: {found:?}");
        }
    }

    #[test]
    fn a_complete_entry_of_unknown_kind_is_never_dropped() {
        let json = r#"{"Later":1}"#;
        let line = format!("{:08x} {json}\n", crc32(json.as_bytes()));
        let found = parse(&[HEADER, line.as_bytes()].concat());
        assert!(matches!(found, Err(JournalError::Unknown { line: 2, .. })), "{found:?}");
    }

    #[test]
    fn a_journal_of_another_version_is_refused() {
        assert!(matches!(parse(b"heeler journal 2\n"), Err(JournalError::Header)));
    }
}
