use std::time::Duration;

use crate::ask::ask;
use crate::{Command, RunError, System};

/// A path that differs between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `+` created, `-` removed, `M` modified, `R` renamed.
    pub kind: String,
    /// Absolute path: the old one when it was renamed or removed.
    pub path: String,
    /// The new absolute path when it was renamed.
    pub new_path: Option<String>,
}

/// `zfs diff -FHt FROM TO`.
pub fn diff_command(from: &str, to: &str) -> Command {
    Command::look("zfs")
        .args(["diff", "-FHt", from, to])
        .timeout(Duration::from_secs(50))
}

/// The differences between a snapshot and a later one of the same dataset, or the dataset itself. It reads the mounted
/// file system. Fails when they are not of one dataset, the dataset is not mounted, or it takes longer than 50 s.
pub async fn diff(host: &dyn System, from: &str, to: &str) -> Result<Vec<Change>, RunError> {
    let command = diff_command(from, to);
    let output = ask(host, &command).await?;
    let read = |line: &str| {
        let mut fields = line.split('\t').skip(1);
        let kind = fields.next()?.to_owned();
        fields.next()?;
        Some(Change {
            kind,
            path: unescaped(fields.next()?),
            new_path: fields.next().map(unescaped),
        })
    };
    let lines = output.stdout.lines();
    lines
        .map(|line| read(line).ok_or_else(|| RunError::unreadable(&command, format!("the line {line:?}"))))
        .collect()
}

/// zfs diff prints white space and non-ASCII bytes as a backslash and four octal digits (tried: `a\0040b`).
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let octal = more.get(..4).filter(|_| *first == b'\\');
        let byte = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[4..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes_are_decoded_and_other_text_stays() {
        assert_eq!(unescaped("/data/a\\0040b"), "/data/a b");
        assert_eq!(unescaped("/data/\\0303\\0244"), "/data/\u{e4}");
        assert_eq!(unescaped("/data/\\x\\00"), "/data/\\x\\00");
    }
}
