/// Lower-case hex, two digits a byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}

/// The bytes of a text in hex; None when it has an odd length, or another character in it.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |of: &u8| char::from(*of).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?).ok();
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_bytes_in_hex_are_read() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(
            (hex(&[0x0a, 0xf0]).as_str(), unhex("0AF0")),
            ("0af0", Some(vec![0x0a, 0xf0]))
        );
        for wrong in ["0", "0af", "0g", "+f", "0 ", "ä"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
