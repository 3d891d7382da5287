use super::mistake::Wrong;

/// The words of a host's line. As Ansible does, by the rules of Python's `shlex` in POSIX mode: quotes join, a
/// backslash takes the next character as it is, and an unquoted `#` begins a comment, also within a word.
pub(super) fn words(line: &str) -> Result<Vec<String>, Wrong> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '#' => break,
            '\'' | '"' => quoted(c, &mut chars, word.get_or_insert_default())?,
            '\\' => {
                let next = chars.next().ok_or_else(|| {
                    Wrong::new(
                        "the line ends in a backslash",
                        "delete it: a host's variables are on one line",
                    )
                })?;
                word.get_or_insert_default().push(next);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The rest of a quoted part. Only within double quotes a backslash can escape, and only `"` and itself.
fn quoted(quote: char, chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Wrong> {
    let open = || {
        Wrong::new(
            format!("a quote {quote} is not closed"),
            format!("close it with {quote} on this line"),
        )
    };
    loop {
        match chars.next().ok_or_else(open)? {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let next = chars.next().ok_or_else(open)?;
                if !matches!(next, '"' | '\\') {
                    word.push('\\');
                }
                word.push(next);
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_shlex_does() {
        for (line, wanted) in [
            ("a b=1\tc=2", &["a", "b=1", "c=2"][..]),
            ("a # b=1", &["a"]),
            ("a b=x#y", &["a", "b=x"]),
            (r#"a b="x # y" c='z "q"'"#, &["a", "b=x # y", "c=z \"q\""]),
            (r#"a b="'03#pa33'""#, &["a", "b='03#pa33'"]),
            (r#"a b=x\ y c="\"\\\n""#, &["a", "b=x y", "c=\"\\\\n"]),
            (r"a b='x\'", &["a", r"b=x\"]),
            ("a b= c=''", &["a", "b=", "c="]),
            ("'' a", &["", "a"]),
        ] {
            assert_eq!(words(line).unwrap(), wanted, "{line}");
        }
        for line in ["a b='x", "a b=\"x", "a b=\"x\\", "a \\"] {
            assert!(words(line).is_err(), "{line}");
        }
    }
}
