use std::path::Path;

use super::Edit;

/// Why a marked block cannot be put into a file.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file changed after the step observed it.
    #[error("{path} has changed since it was looked at; nothing was written")]
    Changed { path: String },
    #[error("{path} is not UTF-8 text; nothing was written")]
    NotText { path: String },
    /// A marker occurs without the other, or more than once.
    #[error("{path} holds broken markers of block {block:?}; nothing was written. Remove its marker lines by hand")]
    Markers { path: String, block: &'static str },
}

impl Edit {
    /// The file's text with the block replaced or appended. `before` is the present content; None when the file does
    /// not exist. Fails when the file changed since the step observed it, is not text, or has malformed markers.
    pub fn spliced(&self, before: Option<&[u8]>) -> Result<String, EditError> {
        let path = || self.path.display().to_string();
        if fingerprint(before) != self.expects {
            return Err(EditError::Changed { path: path() });
        }
        let text = std::str::from_utf8(before.unwrap_or_default()).map_err(|_| EditError::NotText { path: path() })?;
        let (begin, end) = (
            format!("# heeler begin {}", self.block),
            format!("# heeler end {}", self.block),
        );
        let lines: Vec<&str> = text.lines().collect();
        let places = |marker: &str| -> Vec<usize> {
            let found = lines.iter().enumerate().filter(|(_, line)| line.trim_end() == marker);
            found.map(|(index, _)| index).collect()
        };
        let (head, tail) = match (places(&begin).as_slice(), places(&end).as_slice()) {
            ([], []) => (&lines[..], &lines[lines.len()..]),
            ([first], [last]) if first < last => (&lines[..*first], &lines[last + 1..]),
            _ => {
                return Err(EditError::Markers {
                    path: path(),
                    block: self.block,
                });
            }
        };
        let block = std::iter::once(begin.as_str())
            .chain(self.content.lines())
            .chain([end.as_str()]);
        let kept = |line: &&str| !self.without.iter().any(|gone| gone == line);
        let (head, tail) = (head.iter().copied().filter(kept), tail.iter().copied().filter(kept));
        let all: Vec<&str> = head.chain(block).chain(tail).collect();
        Ok(all.join("\n") + "\n")
    }

    /// An edit of the file at `path`, which had the content `before` when it was observed; None when it did not
    /// exist.
    pub fn of(path: impl AsRef<Path>, block: &'static str, content: impl Into<String>, before: Option<&[u8]>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            block,
            content: content.into(),
            without: Vec::new(),
            expects: fingerprint(before),
        }
    }

    /// The same, which also takes these lines out wherever they are outside the block.
    #[must_use]
    pub fn without(self, without: Vec<String>) -> Self {
        Self { without, ..self }
    }
}

/// SHA-256 of a file's content; all zero when it does not exist.
pub fn fingerprint(content: Option<&[u8]>) -> [u8; 32] {
    content.map_or([0; 32], heeler_proto::sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(before: Option<&str>, content: &str) -> Result<String, EditError> {
        let before = before.map(str::as_bytes);
        Edit::of("/etc/x", "zfs", content, before).spliced(before)
    }

    #[test]
    fn the_block_is_replaced_and_other_lines_stay() {
        let first = splice(Some("a\nb"), "1").unwrap();
        assert_eq!(first, "a\nb\n# heeler begin zfs\n1\n# heeler end zfs\n");
        let after = format!("{first}c\n");
        assert_eq!(
            splice(Some(&after), "2").unwrap(),
            "a\nb\n# heeler begin zfs\n2\n# heeler end zfs\nc\n"
        );
        assert_eq!(splice(None, "1").unwrap(), "# heeler begin zfs\n1\n# heeler end zfs\n");
    }

    #[test]
    fn lines_that_must_go_are_taken_out_whole() {
        let before = "a b\na\n# heeler begin zfs\na\n# heeler end zfs\na\n# a\n";
        let edit = Edit::of("/etc/x", "zfs", "a", Some(before.as_bytes())).without(vec!["a".to_owned()]);
        assert_eq!(
            edit.spliced(Some(before.as_bytes())).unwrap(),
            "a b\n# heeler begin zfs\na\n# heeler end zfs\n# a\n"
        );
    }

    #[test]
    fn a_file_changed_since_the_look_is_not_written() {
        let edit = Edit::of("/etc/x", "zfs", "1", Some(b"seen"));
        assert!(matches!(edit.spliced(Some(b"other")), Err(EditError::Changed { .. })));
        assert!(matches!(edit.spliced(None), Err(EditError::Changed { .. })));
        let missing = Edit::of("/etc/x", "zfs", "1", None);
        assert!(matches!(missing.spliced(Some(b"")), Err(EditError::Changed { .. })));
    }

    #[test]
    fn broken_markers_and_binary_files_are_left_alone() {
        for broken in [
            "# heeler begin zfs\nx\n",
            "# heeler end zfs\n# heeler begin zfs\n",
            "# heeler begin zfs\n# heeler end zfs\n# heeler begin zfs\n# heeler end zfs\n",
        ] {
            assert!(
                matches!(splice(Some(broken), "1"), Err(EditError::Markers { .. })),
                "{broken}"
            );
        }
        let binary = Edit::of("/etc/x", "zfs", "1", Some(&[0xff]));
        assert!(matches!(binary.spliced(Some(&[0xff])), Err(EditError::NotText { .. })));
    }
}
