/// Lower-case hex, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// The bytes of a text in hex; None when it has an odd length, or another character in it.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |of: u8| char::from(of).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else {
            return None;
        };
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
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
