use std::ffi::OsString;
use std::path::PathBuf;

use crate::person::PersonCommand;

pub const USAGE: &str = "\
usage: heeler-agent COMMAND [--root DIR]
  status [--json]  shows the agent, its connection, task, schedule and pools
  pause [--for 2h] [--reason TEXT]  takes no new tasks; snapshots continue
  resume   takes tasks again
  release [--yes]  removes the agent from this node; all else keeps running
  run      the service: connects to the coordinator and runs its tasks
  key      prints the node's public key; creates the key if it is missing
  guard undo  undoes a network change that is not confirmed
  version  prints the version
  --root DIR  every file is below DIR (for tests)";

/// The parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub command: Command,
    /// The folder that replaces `/`, for tests; None for the real one.
    pub root: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A command for a person on the node.
    Person(PersonCommand),
    Run,
    /// Print the node's public key.
    Key,
    /// Undo a network change that was not confirmed.
    GuardUndo,
    Version,
    /// Print [`USAGE`].
    Help,
}

impl Arguments {
    /// Parses the command line without the program's name. Its error: a message for the person.
    pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let (mut command, mut root, mut rest) = (None, None, Vec::new());
        let mut words = words;
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--root") => {
                    let folder = words.next().ok_or("--root needs a folder")?;
                    root = Some(PathBuf::from(folder));
                }
                // Also behind a command, whose other words then do not matter.
                Some("--help" | "-h") => {
                    let command = Command::Help;
                    return Ok(Self { command, root });
                }
                Some(name) if command.is_none() && (!name.starts_with('-') || name == "--version") => {
                    command = Some(name.to_owned());
                }
                Some(text) => rest.push(text.to_owned()),
                None => return Err(format!("unknown argument {}", word.display())),
            }
        }
        let name = command.ok_or("no command given")?;
        let command = match name.as_str() {
            "run" => Command::Run,
            "key" => Command::Key,
            "guard" if rest == ["undo"] => {
                rest.clear();
                Command::GuardUndo
            }
            "guard" => return Err("the command is: guard undo".to_owned()),
            "version" | "--version" => Command::Version,
            "help" => Command::Help,
            name => match PersonCommand::parse(name, &mut rest)? {
                Some(command) => Command::Person(command),
                None => return Err(format!("unknown command {name}")),
            },
        };
        match rest.first() {
            Some(word) if !word.starts_with('-') => Err(format!("unexpected argument {word}: give one command")),
            Some(word) => Err(format!("{name} does not take {word}")),
            None => Ok(Self { command, root }),
        }
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
        for words in [&["help"][..], &["--help"], &["-h"], &["status", "--help"]] {
            assert_eq!(parse(words).map(|arguments| arguments.command), Ok(Command::Help));
        }
    }

    #[test]
    fn the_usage_fits_80_columns() {
        assert!(USAGE.lines().all(|line| line.len() <= 80), "{USAGE}");
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (words, wanted) in [
            (&[][..], "no command"),
            (&["run", "key"], "give one command"),
            (&["--root"], "needs a folder"),
            (&["walk"], "unknown command walk"),
            (&["guard"], "the command is: guard undo"),
        ] {
            assert!(parse(words).is_err_and(|problem| problem.contains(wanted)), "{words:?}");
        }
    }
}
