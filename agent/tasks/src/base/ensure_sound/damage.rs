//! Which of the files that are not as packaged are damaged, and which somebody has changed.

use std::path::Path;

use heeler_host::System;
use heeler_host::dpkg::Difference;

/// Conffiles that hold keys or other bytes that are no text even when they are whole.
const BINARY: [&str; 6] = ["gpg", "pgp", "kbx", "jks", "p12", "db"];
/// Files that a person may leave out, to save room: dpkg's `path-exclude` does.
const DISPENSABLE: [&str; 5] = [
    "/usr/share/doc/",
    "/usr/share/info/",
    "/usr/share/lintian/",
    "/usr/share/locale/",
    "/usr/share/man/",
];

/// What is wrong with the files of all packages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Damage {
    /// Conffiles with bytes that are no text, and what is in them.
    pub(super) conffiles: Vec<(String, Vec<u8>)>,
    /// Conffiles that are not there: removed, as a rule.
    pub(super) missing: Vec<String>,
    /// Other files that are damaged or not there.
    pub(super) others: Vec<String>,
}

impl Damage {
    /// Reads the files that differ. One that cannot be read is damaged.
    pub(super) async fn among(host: &dyn System, differences: Vec<Difference>) -> Self {
        let mut damage = Self::default();
        for Difference {
            path,
            conffile,
            missing,
        } in differences
        {
            match (conffile, missing) {
                (true, true) => damage.missing.push(path),
                (false, true) if DISPENSABLE.iter().any(|folder| path.starts_with(folder)) => {}
                (false, true) => damage.others.push(path),
                (true, false) => match host.read(Path::new(&path)).await {
                    Ok(bytes) if !is_text(&bytes) && !may_be_binary(&path) => damage.conffiles.push((path, bytes)),
                    _ => {}
                },
                // Text of another content is an edit; programs are no text.
                (false, false) => match host.read(Path::new(&path)).await {
                    Ok(bytes) if !bytes.is_empty() && is_text(&bytes) => {}
                    _ => damage.others.push(path),
                },
            }
        }
        damage
    }
}

fn may_be_binary(path: &str) -> bool {
    let end = Path::new(path).extension().and_then(|end| end.to_str());
    end.is_some_and(|end| BINARY.contains(&end))
}

/// Whether there is no control character but those that texts have: tab, line ends, form feed, escape. A text need not
/// be UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b);
    !bytes.iter().any(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_in_any_language_is_text() {
        for text in [
            &b"colour=blue\r\n\t# mine\n"[..],
            "# Größe\n".as_bytes(),
            b"# Gr\xf6\xdfe\n",
            b"",
        ] {
            assert!(is_text(text), "{text:?}");
        }
        for damaged in [
            &b"\x80\x8aE\xdd\x9e1i\0\0\x81\x951i\0\0"[..],
            b"a\x01b",
            b"a=1\n\0\0\0",
            b"\x7fELF",
        ] {
            assert!(!is_text(damaged), "{damaged:?}");
        }
        assert!(may_be_binary("/etc/apt/trusted.gpg.d/x.gpg") && !may_be_binary("/etc/x.d/db.conf"));
    }
}
