//! Removes characters that a terminal obeys or hides from text of machines and files.

/// Characters without a visible form: controls (Cc), formats and tags (Cf), line and paragraph separators (Zl, Zp),
/// and default-ignorable code points (Unicode). Emoji variation selectors are kept: they are part of real names.
const HIDDEN: [(u32, u32); 32] = [
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0D),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x1_10BD, 0x1_10BD),
    (0x1_10CD, 0x1_10CD),
    (0x1_3430, 0x1_343F),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_00FF),
    (0xE_0100, 0xE_01EF),
    (0xE_01F0, 0xE_0FFF),
    (0xF_FFFE, 0xF_FFFF),
    (0x10_FFFE, 0x10_FFFF),
];

/// Whether a terminal would obey or hide the character.
pub fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Whether the text is printable ASCII alone, as nearly all is: a column for each byte.
pub(super) fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control())
}

/// The text without hidden characters; a tab becomes four blanks.
pub fn printable(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    text.replace('\t', "    ").chars().filter(|c| !is_hidden(*c)).collect()
}

/// The same JSON with every hidden character escaped; line feeds between values stay.
pub fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hidden(c) {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [char; 14] = [
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        '\u{e0101}',
    ];

    #[test]
    fn no_hidden_character_reaches_a_screen_and_real_names_do() {
        for c in HOSTILE {
            assert_eq!(printable(&format!("a{c}b")), "ab", "{c:?}");
        }
        for c in (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| c.is_control()) {
            assert!(is_hidden(c), "{c:?}");
        }
        for name in ["Müller é ß", "日本語", "नमस्ते", "עברית", "❤\u{fe0f} 🐘", "e\u{301}"] {
            assert_eq!(printable(name), name);
        }
    }

    #[test]
    fn json_escapes_every_hidden_character_and_says_the_same() {
        let value = serde_json::json!({ HOSTILE.iter().collect::<String>(): HOSTILE.iter().collect::<String>() });
        for plain in [serde_json::to_string_pretty(&value).unwrap(), value.to_string()] {
            let text = escaped(&plain);
            assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
        assert_eq!(escaped("\"\u{e0041}\u{202e}\""), r#""\udb40\udc41\u202e""#);
    }
}
