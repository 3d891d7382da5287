//! `locale-gen` of Debian's package locales. It exits with 0 after it could not generate a locale too.

use std::path::Path;
use std::time::Duration;

use crate::{Command, System};

/// The list of the locales to generate: one a line, with its character set.
pub const PATH: &str = "/etc/locale.gen";

const PROGRAM: &str = "/usr/sbin/locale-gen";
const SOURCES: [&str; 2] = ["/usr/local/share/i18n/locales", "/usr/share/i18n/locales"];

/// `locale-gen --keep-existing`: generates what the list has and the node lacks. Without the option, locale-gen first
/// removes all that was generated.
pub fn command() -> Command {
    // A Raspberry Pi needs up to half a minute for a locale, and the list may have many.
    let time = Duration::from_secs(600);
    Command::change("locale-gen").arg("--keep-existing").timeout(time)
}

/// Whether the package is installed.
pub async fn is_installed(host: &dyn System) -> bool {
    host.mode(Path::new(PROGRAM)).await.is_ok()
}

/// Whether the node has what the locale is generated from.
pub async fn has_source(host: &dyn System, name: &str) -> bool {
    let source = name.replacen(".UTF-8", "", 1);
    for folder in SOURCES {
        if host.mode(&Path::new(folder).join(&source)).await.is_ok() {
            return true;
        }
    }
    false
}

/// The line for the locale in the list.
pub fn line(name: &str) -> String {
    format!("{name} UTF-8")
}

/// Whether the list's text has the locale, not as a comment.
pub fn lists(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().eq([name, "UTF-8"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_lists_no_locale() {
        let text = "# en_AU.UTF-8 UTF-8\n#en_AU.UTF-8 UTF-8\nen_AU ISO-8859-1\n  en_GB.UTF-8\tUTF-8 \n";
        assert!(!lists(text, "en_AU.UTF-8"));
        assert!(lists(text, "en_GB.UTF-8"));
        assert!(lists(&line("en_AU.UTF-8"), "en_AU.UTF-8"));
    }
}
