//! cmdline.txt: the kernel's command line, which is the file's only line.

/// Why a file is no command line.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("it is empty")]
    Empty,
    #[error("it has more than one line, and the firmware reads the first alone")]
    Several,
    #[error("it is not UTF-8 text")]
    NotText,
}

/// The file's line. Fails when it has another number of them.
pub fn line_of(content: &[u8]) -> Result<&str, LineError> {
    let text = std::str::from_utf8(content).map_err(|_| LineError::NotText)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (None, _) => Err(LineError::Empty),
        (Some(_), Some(_)) => Err(LineError::Several),
    }
}

/// The tokens of a line. Blanks within double quotes separate none.
pub fn tokens_of(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let blank = move |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    };
    line.split(blank).filter(|token| !token.is_empty()).collect()
}

/// The line with these tokens at its end, unless it has them, and without those. The others keep their order.
pub fn with_tokens(line: &str, with: &[&str], without: &[&str]) -> String {
    let mut tokens = tokens_of(line);
    tokens.retain(|token| !without.contains(token));
    let missing: Vec<&str> = with.iter().copied().filter(|token| !tokens.contains(token)).collect();
    tokens.extend(missing);
    tokens.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_tokens_keep_their_order_and_quotes() {
        let line = r#"console=tty1 dyndbg="file a.c +p" root=/dev/x cgroup_disable=memory quiet"#;
        let changed = with_tokens(line, &["cgroup_memory=1", "quiet"], &["cgroup_disable=memory"]);
        assert_eq!(
            changed,
            r#"console=tty1 dyndbg="file a.c +p" root=/dev/x quiet cgroup_memory=1"#
        );
        assert_eq!(with_tokens(&changed, &["cgroup_memory=1"], &[]), changed);
    }

    #[test]
    fn only_a_single_line_is_a_command_line() {
        assert_eq!(line_of(b"a b\n"), Ok("a b"));
        assert_eq!(line_of(b"\r\n a \r\n"), Ok("a"));
        assert_eq!(line_of(b"a\nb\n"), Err(LineError::Several));
        assert_eq!(line_of(b"\n"), Err(LineError::Empty));
        assert_eq!(line_of(&[0xff]), Err(LineError::NotText));
    }
}
