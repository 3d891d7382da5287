/// Whether `text` matches a shell pattern of `*`, `?` and `[…]`; case is ignored.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let lower = |text: &str| text.to_ascii_lowercase().chars().collect::<Vec<_>>();
    rest(&lower(pattern), &lower(text))
}

pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Backtracks only to the last `*`, so that the time is at most the product of both lengths.
fn rest(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(width) = one(&pattern[p.min(pattern.len())..], text[t]) {
            p += width;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|c| *c == '*')
}

/// How many characters of the pattern match `c`; None when they do not match.
fn one(pattern: &[char], c: char) -> Option<usize> {
    let set = |end: usize| {
        let (not, set) = match pattern[1] {
            '!' | '^' => (true, &pattern[2..end]),
            _ => (false, &pattern[1..end]),
        };
        let ranges = set.windows(3).any(|of| of[1] == '-' && (of[0]..=of[2]).contains(&c));
        ((ranges || set.contains(&c)) != not).then_some(end + 1)
    };
    match pattern.first()? {
        '?' => Some(1),
        '[' => match pattern.iter().skip(2).position(|c| *c == ']') {
            Some(end) => set(end + 2),
            None => (c == '[').then_some(1),
        },
        own => (*own == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_patterns_match_as_fnmatch_does() {
        for (pattern, text, is) in [
            ("en*", "enbp0", true),
            ("en*", "eth0", false),
            ("*", "", true),
            ("e*p?", "enbp0", true),
            ("e*p", "enbp0", false),
            ("eth[0-3]", "eth2", true),
            ("eth[!0-3]", "eth2", false),
            ("eth[02]", "eth1", false),
            ("eth[", "eth[", true),
            ("00:E0:*", "00:e0:4c:68:00:01", true),
            ("enbp0", "enbp0", true),
            ("enbp0", "enbp00", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[a-c*?\\[\\]!^-]{0,12}", text in "[a-c\\[\\]]{0,12}") {
            let _ = matches(&pattern, &text);
        }
    }
}
