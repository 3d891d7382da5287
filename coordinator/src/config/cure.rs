//! Explains text that is not TOML, and says what to write instead.

use std::ops::Range;

/// How to correct the text where the parser stopped; None when no usual mistake is found there.
pub(super) fn cure(text: &str, message: &str, span: Range<usize>) -> Option<String> {
    let at = span.start.min(text.len());
    let start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(start..)?.find('\n').map_or(text.len(), |at| start + at);
    let line = text.get(start..end)?.trim_end_matches('\r');
    // The parser may stop at the start of a line because the line before is not ended.
    let before = text.get(..start.saturating_sub(1)).unwrap_or_default();
    let before = before.lines().rev().find(|line| !line.trim().is_empty());
    conflict(text)
        .or_else(|| odd_character(line))
        .or_else(|| (message == "duplicate key").then(|| twice(text, line, start)).flatten())
        .or_else(|| shape(line))
        .or_else(|| before.and_then(|line| odd_character(line).or_else(|| open(line))))
        .or_else(|| open(line))
        .or_else(|| {
            message
                .contains("missing comma")
                .then(|| "put a comma between the items".into())
        })
}

/// Lines that git writes into a file that it could not merge.
fn conflict(text: &str) -> Option<String> {
    let marks = ["<<<<<<< ", ">>>>>>> "];
    let both = marks.iter().all(|mark| text.lines().any(|line| line.starts_with(mark)));
    both.then(|| "git could not merge this file: keep one of the two versions, and delete the lines with <<<<<<<, ======= and >>>>>>>".into())
}

/// Characters that look like others, as in text pasted from a web page or a word processor.
fn odd_character(line: &str) -> Option<String> {
    let code = line.split('#').next().unwrap_or_default();
    code.chars().find_map(|c| match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}'
        | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' | '\u{b4}' | '`' => {
            Some(format!("{c} is not a plain quote: write \"…\""))
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some(format!("{c} is not a plain hyphen: write -")),
        '\u{ff1d}' => Some("write a plain =".into()),
        c if c != ' ' && c != '\t' && (c.is_whitespace() || is_invisible(c)) => {
            let code = u32::from(c);
            Some(format!(
                "there is an invisible character (U+{code:04X}): delete it, or write a plain space"
            ))
        }
        _ => None,
    })
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

/// Where the same key or table is already defined.
fn twice(text: &str, line: &str, start: usize) -> Option<String> {
    let same = |other: &str| key(other) == key(line);
    let earlier = text.get(..start)?;
    let own_table = match line.trim_start().starts_with('[') {
        true => 0,
        // A key counts as double only within the same table.
        false => earlier
            .match_indices('[')
            .rfind(|(at, _)| {
                earlier[..*at]
                    .rsplit('\n')
                    .next()
                    .is_some_and(|left| left.trim().is_empty())
            })
            .map_or(0, |(at, _)| at),
    };
    let first = earlier[own_table..].lines().position(same)?;
    let number = earlier[..own_table].matches('\n').count() + first + 1;
    let what = key(line);
    Some(match what.strip_prefix('[') {
        Some(_) => format!("{what} is already in line {number}: put all its keys there"),
        None => format!("{what} is already in line {number}: delete one of the two"),
    })
}

/// `[table]`, or the text before `=`.
fn key(line: &str) -> &str {
    let line = line.trim();
    match line.starts_with('[') {
        true => line.split_inclusive(']').next().unwrap_or(line),
        false => line.split('=').next().unwrap_or(line).trim(),
    }
}

/// A line in another configuration language.
fn shape(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with("//") || line.starts_with(';') || line.starts_with("/*") {
        return Some("a comment begins with #".into());
    }
    if line.starts_with('[') {
        let open = line.matches('[').count();
        return (open > line.matches(']').count()).then(|| format!("close the bracket: {line}{}", "]".repeat(open)));
    }
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let Some((name, value)) = line.split_once('=') else {
        let (name, value) = line.split_once(':').or_else(|| line.split_once(char::is_whitespace))?;
        return is_word(name.trim()).then(|| format!("write {} = {}", name.trim(), quoted(value.trim())));
    };
    let (name, value) = (name.trim(), value.trim());
    if !is_word(name) && !name.starts_with(['"', '\'']) {
        let joined = name.split_whitespace().collect::<Vec<_>>().join("_");
        return is_word(&joined).then(|| format!("a key has no spaces: did you mean {joined}?"));
    }
    let value = value
        .split(" #")
        .next()
        .unwrap_or(value)
        .trim()
        .trim_end_matches(';')
        .trim();
    let list = value.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    if let Some(inner) = list {
        let all: Vec<String> = inner
            .split([',', ';'])
            .flat_map(|part| match part.contains('"') {
                true => vec![part.trim().to_owned()],
                false => part.split_whitespace().map(quoted).collect(),
            })
            .filter(|part| !part.is_empty())
            .collect();
        let right = format!("[{}]", all.join(", "));
        return (right != value && !right.contains("\" \"")).then(|| format!("write {name} = {right}"));
    }
    let plain = !value.is_empty() && !value.contains(['"', '\'', '{', '[', ']', '}']);
    match value {
        "" => Some(format!("write a value after {name} =")),
        "True" | "False" | "yes" | "no" | "on" | "off" => Some(format!("write {name} = true or {name} = false")),
        _ if plain => Some(format!("write it in quotes: {name} = {}", quoted(value))),
        _ => None,
    }
}

fn quoted(value: &str) -> String {
    match value.starts_with(['"', '\'', '[', '{']) || value.parse::<u64>().is_ok() {
        true => value.to_owned(),
        false => format!("\"{value}\""),
    }
}

/// A quote or bracket that is not closed.
fn open(line: &str) -> Option<String> {
    let code = line.trim_end();
    let count = |c: char| code.matches(c).count();
    if count('"') % 2 == 1 {
        return Some("close the quote: \"".into());
    }
    if count('[') > count(']') {
        return Some("put a comma between the items, and close the list: ]".into());
    }
    (count('{') > count('}')).then(|| "put a comma between the keys, and close the table: }".into())
}
