//! `debconf`: answers to what packages ask when they are installed.

use crate::Command;

/// `debconf-set-selections` with the answers in a file: a package that is not installed yet asks nothing then.
pub fn answer_command(file: &str) -> Command {
    Command::change("debconf-set-selections").arg(file)
}
