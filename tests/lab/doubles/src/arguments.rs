//! Arguments as Proxmox's programs read them: one dash or two, and any unique beginning of a name.

use std::collections::BTreeMap;

/// Positional arguments and options by name.
#[derive(Debug, Default)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Reads `words` for a command whose usage line is `usage`. Fails with the text of the real parser.
    pub fn read(words: &[String], usage: &str, options: &str) -> Result<Self, String> {
        let mut positions = positions(usage).map(|(name, _)| name);
        let mut read = Self::default();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
                let name = positions.next().ok_or("too many arguments")?;
                read.0.insert(name.to_owned(), word.clone());
                continue;
            };
            let (name, joined) = name
                .split_once('=')
                .map_or((name, None), |(n, v)| (n, Some(v.to_owned())));
            let full = option(options, name).ok_or_else(|| format!("Unknown option: {name}"))?;
            let value = joined.or_else(|| words.next_if(|next| !next.starts_with('-')).cloned());
            read.0.insert(full.to_owned(), value.unwrap_or_else(|| "1".to_owned()));
        }
        Ok(read)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether a boolean is given and true.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| matches!(value, "1" | "yes" | "on" | "true"))
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Names of the positional arguments in a usage line, and whether each must be there.
pub fn positions(usage: &str) -> impl Iterator<Item = (&str, bool)> {
    let words = usage.split_whitespace();
    let values = words.clone().map(|word| word.starts_with("--"));
    let words = words
        .zip(std::iter::once(false).chain(values))
        .filter(|(_, is_value)| !is_value);
    words.filter_map(|(word, _)| {
        let (inner, must) = word.strip_prefix('[').map_or((word, true), |inner| (inner, false));
        inner.strip_prefix('<')?.split_once('>').map(|(name, _)| (name, must))
    })
}

fn option<'a>(options: &'a str, given: &str) -> Option<&'a str> {
    let exact = options.split_whitespace().find(|name| *name == given);
    let mut beginning = options.split_whitespace().filter(|name| name.starts_with(given));
    exact.or_else(|| beginning.next().filter(|_| beginning.next().is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, String> {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        Arguments::read(
            &words,
            "acl modify <path> --roles <string> [OPTIONS]",
            "users roles propagate",
        )
    }

    #[test]
    fn one_dash_and_a_beginning_name_an_option() {
        let read = read(&["/", "-user", "a@pam", "--roles=Administrator", "--prop"]).unwrap();
        let all: Vec<_> = read.all().collect();
        assert_eq!(
            all,
            [
                ("path", "/"),
                ("propagate", "1"),
                ("roles", "Administrator"),
                ("users", "a@pam")
            ]
        );
    }

    #[test]
    fn the_value_of_an_option_is_no_position() {
        let usage = "x <path> [<extra-args>] --roles <string> [OPTIONS]";
        assert_eq!(
            positions(usage).collect::<Vec<_>>(),
            [("path", true), ("extra-args", false)]
        );
    }

    #[test]
    fn an_unknown_option_is_named() {
        assert_eq!(read(&["/", "--nosuch", "1"]).unwrap_err(), "Unknown option: nosuch");
    }
}
