//! Messages about a name that does not exist: they list the existing names, nearest first.

/// Most names listed.
const LISTED: usize = 5;
/// Most characters of a name that are compared or shown.
const LONGEST: usize = 64;

/// The name that a person most likely meant; None when none is similar.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.into_iter().map(|known| (distance(word, known), known));
    let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= (known.len() / 3).max(1)).then_some(known)
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&short(one).to_lowercase(), &short(other).to_lowercase())
}

/// The start of a name, at most as long as a message shows.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}

/// A message about a name that does not exist.
#[derive(Debug)]
pub(crate) struct Unknown {
    /// What does not exist: one line, no full stop.
    pub(crate) what: String,
    /// The names that do, and the command that lists all.
    pub(crate) next: String,
}

/// The message. `list` is the command that lists all names.
pub(crate) fn unknown<'n>(
    what: impl Into<String>,
    given: &str,
    names: impl IntoIterator<Item = &'n str>,
    list: &str,
) -> Unknown {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_cached_key(|name| (distance(given, name), *name));
    names.dedup();
    let meant = match nearest(given, names.iter().copied()) {
        Some(near) => format!("Did you mean {}? ", short(near)),
        None => String::new(),
    };
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| short(name)).collect();
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let next = match listed.as_slice() {
        [] => format!("None exists yet. See: {list}"),
        _ => format!("{meant}Known: {}{more}. See: {list}", listed.join(", ")),
    };
    let what = what.into();
    Unknown { what, next }
}

/// One word for a shell: quoted when the shell would split or change it.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_few_names_are_listed() {
        let all: Vec<String> = (1..=9).map(|number| format!("rack-{number}")).collect();
        let names = || all.iter().map(String::as_str);
        assert_eq!(
            unknown("no node rack-77 is known", "rack-77", names(), "heeler node list").next,
            "Did you mean rack-7? Known: rack-7, rack-1, rack-2, rack-3, rack-4 and 4 more. See: heeler node list"
        );
        let far = unknown("no node x is known", "x", ["kitchen"], "heeler node list").next;
        assert_eq!(far, "Known: kitchen. See: heeler node list");
        let none = unknown("no node x is known", "x", [], "heeler node list").next;
        assert_eq!(none, "None exists yet. See: heeler node list");
    }

    #[test]
    fn a_word_with_blanks_is_quoted() {
        assert_eq!(word("data/pve-files@keep:1"), "data/pve-files@keep:1");
        assert_eq!(word("it's a b"), r"'it'\''s a b'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_long_name_is_not_compared_and_is_shortened() {
        let long = "x".repeat(1 << 20);
        let said = unknown("no such node", &long, [long.as_str()], "heeler node list").next;
        assert!(said.len() < 300, "{}", said.len());
    }
}
