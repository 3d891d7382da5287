//! The commands of a program, as its usage text lists them.

use crate::arguments::{Arguments, positions};
use crate::call::Fault;

/// One program: its name, usage text, and the options of each command.
pub struct Program {
    pub name: &'static str,
    /// The lines after `USAGE:`, as recorded.
    pub usage: &'static str,
    /// Old names of commands.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Names of the options that a command takes, separated by spaces.
    pub options: fn(&str) -> &'static str,
}

/// A command that was found, with its arguments.
pub struct Found {
    /// Words of the command without the program's name, as `user add`.
    pub command: String,
    pub arguments: Arguments,
    usage: String,
}

impl Program {
    /// Finds the command and reads its arguments; fails as the real program does.
    pub fn find(&self, words: &[String]) -> Result<Found, Fault> {
        let words = self.without_alias(words);
        if words.is_empty() {
            return Err(self.whole_usage("no command specified"));
        }
        let mut known = 0;
        for line in self
            .usage
            .lines()
            .filter_map(|l| l.trim_start().strip_prefix(self.name))
        {
            let names: Vec<&str> = line
                .split_whitespace()
                .take_while(|w| !w.starts_with(['<', '[', '-']))
                .collect();
            let same = words.iter().zip(&names).take_while(|(a, b)| a == b).count();
            known = known.max(same);
            if names.is_empty() || same < names.len() {
                continue;
            }
            let command = names.join(" ");
            let usage = format!("{}{line}", self.name);
            let options = format!("{} {}", (self.options)(&command), format_options(line));
            let rest = words.get(names.len()..).unwrap_or_default();
            let arguments = Arguments::read(rest, line, &options).map_err(|text| match text.as_str() {
                "too many arguments" => Fault::died(format!("400 {text}\n{usage}")),
                _ => Fault::died(format!("{text}\n400 unable to parse option\n{usage}")),
            })?;
            if positions(line).any(|(name, must)| must && arguments.get(name).is_none()) {
                return Err(Fault::died(format!("400 not enough arguments\n{usage}")));
            }
            return Ok(Found {
                command,
                arguments,
                usage,
            });
        }
        let words = words.get(..=known).unwrap_or(&words).join(" ");
        Err(self.whole_usage(&format!("unknown command '{} {words}'", self.name)))
    }

    fn without_alias(&self, words: &[String]) -> Vec<String> {
        let split = |text: &'static str| text.split(' ');
        let begins = |(old, _): &&(&'static str, &str)| {
            words.len() >= split(old).count() && split(old).zip(words).all(|(a, b)| a == b)
        };
        let Some((old, new)) = self.aliases.iter().find(begins) else {
            return words.to_vec();
        };
        let rest = words.iter().skip(split(old).count()).cloned();
        split(new).map(str::to_owned).chain(rest).collect()
    }

    fn whole_usage(&self, problem: &str) -> Fault {
        let name = self.name;
        let usage = self.usage.trim_end_matches('\n');
        Fault::died(format!(
            "ERROR: {problem}\nUSAGE: {name} <COMMAND> [ARGS] [OPTIONS]\n\n{usage}"
        ))
    }
}

fn format_options(line: &str) -> &'static str {
    let takes = line.contains("[FORMAT_OPTIONS]");
    if takes {
        "output-format noborder noheader quiet human-readable"
    } else {
        ""
    }
}

impl Found {
    /// The error of parameters that do not fit: (name, problem), the problem with its own line end where it has one.
    pub fn refuse(&self, problems: &[(&str, String)]) -> Fault {
        let mut text = "400 Parameter verification failed.\n".to_owned();
        for (name, problem) in problems {
            text += &format!("{name}: {problem}\n");
        }
        Fault::died(text + &self.usage)
    }

    /// A positional argument or option that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        let found = self.arguments.get(name);
        found.ok_or_else(|| Fault::died(format!("missing value for required option '{name}'")))
    }
}
