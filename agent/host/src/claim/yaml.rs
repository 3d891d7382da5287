use std::iter::Peekable;
use std::str::Chars;

/// The deepest nesting that is read.
const DEEPEST: usize = 32;

/// A value in a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The keys that lead to it, outermost first; `-` is an item of a list.
    pub(super) path: Vec<String>,
    /// Empty for a map, a list (their entries follow) and a key without a value.
    pub(super) value: String,
    /// The line's number, from 1.
    pub(super) line: usize,
}

/// All values of a YAML file of the kind that netplan uses: maps, lists, plain and quoted words, indented or in braces.
/// Its error: the number of the first line that uses anything else: an anchor, a tag, a text over several lines, a tab.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, usize> {
    let mut reader = Reader::default();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let content = without_comment(line);
        let words = content.trim();
        if words.is_empty() || words == "---" || words.starts_with('%') {
            continue;
        }
        let at = index + 1;
        let indent = content.len() - content.trim_start().len();
        if content[..indent].contains('\t') {
            return Err(at);
        }
        let mut words = words.to_owned();
        // A value in braces may continue on the next lines.
        while open_braces(&words) > 0 {
            let Some((_, more)) = lines.next() else { return Err(at) };
            words = format!("{words}\n{}", without_comment(more));
        }
        reader.line(indent, &words, at).ok_or(at)?;
    }
    Ok(reader.entries)
}

#[derive(Default)]
struct Reader {
    /// The keys that may contain the next line, each with its indentation.
    above: Vec<(usize, String)>,
    entries: Vec<Entry>,
}

impl Reader {
    fn line(&mut self, indent: usize, words: &str, line: usize) -> Option<()> {
        if let Some(item) = words.strip_prefix("- ").or_else(|| (words == "-").then_some("")) {
            // YAML allows a list at the same indentation as its key.
            while self
                .above
                .last()
                .is_some_and(|(at, key)| *at > indent || (*at == indent && key == "-"))
            {
                self.above.pop();
            }
            self.descend(indent, "-")?;
            let item_at = indent + words.len() - item.trim_start().len();
            return match item.trim() {
                "" => Some(()),
                item => self.line(item_at, item, line),
            };
        }
        match key(words) {
            Some((key, value)) => {
                while self.above.last().is_some_and(|(at, _)| *at >= indent) {
                    self.above.pop();
                }
                self.descend(indent, &key)?;
                self.value(value, line)
            }
            None => self.value(words, line),
        }
    }

    fn descend(&mut self, indent: usize, key: &str) -> Option<()> {
        self.above.push((indent, key.to_owned()));
        (self.above.len() < DEEPEST).then_some(())
    }

    fn value(&mut self, words: &str, line: usize) -> Option<()> {
        let path = self.above.iter().map(|(_, key)| key.clone()).collect();
        let mut flow = Flow {
            chars: words.chars().peekable(),
            line,
            entries: &mut self.entries,
        };
        flow.value(path, "")?;
        flow.space();
        flow.chars.next().is_none().then_some(())
    }
}

/// Reads one value, with or without braces.
struct Flow<'t, 'e> {
    chars: Peekable<Chars<'t>>,
    line: usize,
    entries: &'e mut Vec<Entry>,
}

impl Flow<'_, '_> {
    fn value(&mut self, path: Vec<String>, ends: &str) -> Option<()> {
        if path.len() > DEEPEST {
            return None;
        }
        self.space();
        match self.chars.peek() {
            Some('{') => self.items(&path, '}'),
            Some('[') => self.items(&path, ']'),
            Some('&' | '*' | '!' | '|' | '>' | '@' | '`') => None,
            _ => {
                let line = self.line;
                let value = self.word(ends)?;
                self.entries.push(Entry { path, value, line });
                Some(())
            }
        }
    }

    fn items(&mut self, path: &[String], end: char) -> Option<()> {
        self.chars.next();
        let (value, line) = (String::new(), self.line);
        self.entries.push(Entry {
            path: path.to_vec(),
            value,
            line,
        });
        loop {
            self.space();
            if self.chars.next_if_eq(&end).is_some() {
                break;
            }
            let mut path = path.to_vec();
            if end == '}' {
                path.push(self.word(":,}")?);
                self.space();
                let line = self.line;
                if self.chars.next_if_eq(&':').is_none() {
                    let value = String::new();
                    self.entries.push(Entry { path, value, line });
                } else {
                    self.value(path, ",}")?;
                }
            } else {
                path.push("-".to_owned());
                self.value(path, ",]")?;
            }
            self.space();
            if self.chars.next_if_eq(&',').is_none() && self.chars.peek() != Some(&end) {
                return None;
            }
        }
        Some(())
    }

    /// A quoted word, or the text up to one of `ends`. A colon ends a plain word only before white space.
    fn word(&mut self, ends: &str) -> Option<String> {
        let mut word = String::new();
        if let Some(quote) = self.chars.next_if(|c| matches!(c, '"' | '\'')) {
            loop {
                match self.chars.next()? {
                    c if c == quote && quote == '\'' && self.chars.next_if_eq(&'\'').is_some() => word.push('\''),
                    c if c == quote => return Some(word),
                    '\\' if quote == '"' => word.push(self.chars.next()?),
                    c => word.push(c),
                }
            }
        }
        while let Some(c) = self.chars.peek().copied() {
            let mut after = self.chars.clone().skip(1);
            let colon = c == ':' && after.next().is_some_and(|next| !next.is_whitespace());
            if ends.contains(c) && !colon {
                break;
            }
            self.line += usize::from(c == '\n');
            word.push(c);
            self.chars.next();
        }
        Some(word.trim().to_owned())
    }

    fn space(&mut self) {
        while let Some(c) = self.chars.next_if(|c| c.is_whitespace()) {
            self.line += usize::from(c == '\n');
        }
    }
}

/// The key of a line, and the text after the colon.
fn key(words: &str) -> Option<(String, &str)> {
    if words.starts_with(['{', '[']) {
        return None;
    }
    let quoted = words.chars().next().filter(|c| matches!(c, '"' | '\''));
    let from = match quoted {
        Some(quote) => words[1..].find(quote)? + 2,
        None => 0,
    };
    let colon = words[from..]
        .match_indices(':')
        .map(|(at, _)| from + at)
        .find(|at| words[at + 1..].chars().next().is_none_or(char::is_whitespace))?;
    let key = words[..colon].trim().trim_matches(['"', '\'']);
    Some((key.to_owned(), &words[colon + 1..]))
}

/// How many more braces and brackets open than close, outside quotes.
fn open_braces(text: &str) -> i32 {
    let (mut depth, mut quote) = (0, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The line without a comment: `#` at its start or after white space, outside quotes.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if before.is_whitespace() => return &line[..at],
            _ => {}
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<(String, String, usize)> {
        let all = entries(text).unwrap();
        all.into_iter()
            .map(|one| (one.path.join("/"), one.value, one.line))
            .collect()
    }

    fn is(text: &str, expected: &[(&str, &str, usize)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, value, line)| ((*path).to_owned(), (*value).to_owned(), *line))
            .collect();
        assert_eq!(flat(text), expected, "{text}");
    }

    #[test]
    fn maps_and_lists_by_indentation_are_read() {
        let text = "# top\nnetwork:\n  version: 2\n  ethernets:\n    all-en:   # every one\n      match:\n        name: \"en*\"\n\
                    \x20       driver:\n        - r8152\n        - 'a # b'\n      dhcp4: true\n    eth1: {}\n    eth2:\n";
        is(
            text,
            &[
                ("network", "", 2),
                ("network/version", "2", 3),
                ("network/ethernets", "", 4),
                ("network/ethernets/all-en", "", 5),
                ("network/ethernets/all-en/match", "", 6),
                ("network/ethernets/all-en/match/name", "en*", 7),
                ("network/ethernets/all-en/match/driver", "", 8),
                ("network/ethernets/all-en/match/driver/-", "r8152", 9),
                ("network/ethernets/all-en/match/driver/-", "a # b", 10),
                ("network/ethernets/all-en/dhcp4", "true", 11),
                ("network/ethernets/eth1", "", 12),
                ("network/ethernets/eth2", "", 13),
            ],
        );
    }

    #[test]
    fn maps_and_lists_in_braces_are_read() {
        is(
            "network: {ethernets: {a: {match: {macaddress: 00:e0:4c:68:00:01}, addresses: [10.0.0.1/24, \"b\"]}},\n  version: 2}",
            &[
                ("network", "", 1),
                ("network/ethernets", "", 1),
                ("network/ethernets/a", "", 1),
                ("network/ethernets/a/match", "", 1),
                ("network/ethernets/a/match/macaddress", "00:e0:4c:68:00:01", 1),
                ("network/ethernets/a/addresses", "", 1),
                ("network/ethernets/a/addresses/-", "10.0.0.1/24", 1),
                ("network/ethernets/a/addresses/-", "b", 1),
                ("network/version", "2", 2),
            ],
        );
        is(
            "{\"network\": {\"version\": 2}}",
            &[("", "", 1), ("network", "", 1), ("network/version", "2", 1)],
        );
        is(
            "a:\n  match: {}\n  b: []\n",
            &[("a", "", 1), ("a/match", "", 2), ("a/b", "", 3)],
        );
    }

    #[test]
    fn a_list_of_maps_is_read() {
        is(
            "routes:\n- to: default\n  via: 10.0.0.1\n- {to: a}\nx: 1\n",
            &[
                ("routes", "", 1),
                ("routes/-/to", "default", 2),
                ("routes/-/via", "10.0.0.1", 3),
                ("routes/-", "", 4),
                ("routes/-/to", "a", 4),
                ("x", "1", 5),
            ],
        );
    }

    #[test]
    fn an_unreadable_line_is_named() {
        for (text, line) in [
            ("a: 1\nb: &x 2\n", 2),
            ("a: *x\n", 1),
            ("a: |\n  text\n", 1),
            ("a:\n\tb: 1\n", 2),
            ("a: {b: 1\n", 1),
            ("a: [b, {c: ]\n", 1),
        ] {
            assert_eq!(entries(text), Err(line), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a:{}\\[\\]\"',# \n\t&-]{0,60}") {
            let _ = entries(&text);
        }
    }
}
