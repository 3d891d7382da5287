use std::ffi::OsString;
use std::path::PathBuf;

/// What may be typed.
pub const USAGE: &str = "\
usage: heeler-agent COMMAND [--root DIR]
  run      the service: connects to the coordinator and does what it asks
  key      prints the node's public key, and makes the key when it is missing
  guard undo  puts the network back as it was before a change that nobody confirmed
  version  prints the version
  --root DIR  every file is below DIR (for tests)";

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub command: Command,
    /// Where the machine's files are.
    pub root: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Be the service.
    Run,
    /// Print the public key.
    Key,
    /// Undo a change of the network that nobody confirmed.
    GuardUndo,
    /// Print the version.
    Version,
}

impl Arguments {
    /// From the command line without the program's name.
    pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let (mut command, mut root) = (None, None);
        while let Some(word) = words.next() {
            let known = match word.to_str() {
                Some("run") => Command::Run,
                Some("key") => Command::Key,
                Some("guard") if words.next().is_some_and(|word| word == "undo") => Command::GuardUndo,
                Some("guard") => return Err("guard wants: undo".to_owned()),
                Some("version" | "--version") => Command::Version,
                Some("--root") => {
                    let folder = words.next().ok_or("--root wants a folder")?;
                    root = Some(PathBuf::from(folder));
                    continue;
                }
                _ => return Err(format!("{} is not known", word.display())),
            };
            if command.replace(known).is_some() {
                return Err("one command at a time".to_owned());
            }
        }
        let command = command.ok_or("a command is wanted")?;
        Ok(Self { command, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn a_command_and_a_root_are_read_in_any_order() {
        let wanted = Arguments {
            command: Command::Key,
            root: Some("/x".into()),
        };
        assert_eq!(parse(&["key", "--root", "/x"]), Ok(wanted));
        assert!(parse(&["--root", "/x", "run"]).is_ok());
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (words, wanted) in [
            (&[][..], "wanted"),
            (&["run", "key"], "one command"),
            (&["--root"], "wants a folder"),
            (&["walk"], "walk is not known"),
            (&["guard"], "guard wants: undo"),
        ] {
            assert!(parse(words).is_err_and(|problem| problem.contains(wanted)), "{words:?}");
        }
    }
}
