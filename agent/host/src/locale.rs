//! `locale`, and the file that gives new sessions their locale.

use std::io;
use std::path::{Path, PathBuf};

use crate::ask::{ask, names};
use crate::{Command, RunError, System};

/// The file that PAM reads. On Debian 13 it is a link to [`CONF`].
const DEFAULT: &str = "/etc/default/locale";
/// The file that systemd reads.
const CONF: &str = "/etc/locale.conf";

/// `locale -a`.
pub fn command() -> Command {
    Command::look("locale").arg("-a")
}

/// Whether the node has the locale: it is generated, or glibc has it built in, such as `C`. Fails when locale does not
/// answer.
pub async fn is_there(host: &dyn System, name: &str) -> Result<bool, RunError> {
    let output = ask(host, &command()).await?;
    Ok(output.stdout.lines().any(|line| same(line, name)))
}

/// Whether both name one locale: `locale -a` prints `en_AU.utf8` for `en_AU.UTF-8`.
pub fn same(one: &str, other: &str) -> bool {
    let short = |name: &str| name.replacen(".UTF-8", ".utf8", 1);
    short(one) == short(other)
}

/// Path of the file with the default locale, which may not exist yet. It is no link: a link stays one when its target
/// is written. Fails when the link cannot be followed.
pub async fn default_path(host: &dyn System) -> Result<PathBuf, RunError> {
    match host.resolve(Path::new(DEFAULT)).await {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = names(host, "/etc/default").await?.unwrap_or_default();
            let dangles = folder.iter().any(|name| name == "locale");
            Ok(PathBuf::from(if dangles { CONF } else { DEFAULT }))
        }
        Err(source) => Err(RunError::file(Path::new(DEFAULT), source)),
    }
}

/// LANG in the text of this file, where the last line wins.
pub fn lang(text: &str) -> Option<&str> {
    let mut lines = text.lines().rev();
    let value = lines.find_map(|line| line.trim_start().strip_prefix("LANG="))?;
    Some(value.trim_end().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lang_counts_without_quotes_and_comments() {
        let text = "LANG=C\n#LANG=de_DE.UTF-8\nLANG=\"en_AU.UTF-8\"\nLANGUAGE=en\nLC_TIME=C\n";
        assert_eq!(lang(text), Some("en_AU.UTF-8"));
        assert_eq!(lang("# LANG=C\nLANGUAGE=en\n"), None);
    }

    #[test]
    fn both_spellings_of_utf8_are_the_same() {
        assert!(same("en_AU.utf8", "en_AU.UTF-8"));
        assert!(same("sr_RS.utf8@latin", "sr_RS.UTF-8@latin"));
        assert!(same("C.utf8", "C.UTF-8"));
        assert!(!same("en_AU", "en_AU.UTF-8"));
        assert!(!same("sr_RS.utf8", "sr_RS.UTF-8@latin"));
    }
}
