use std::fmt;
use std::ops::Range;

/// A position in heeler.toml.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters, within that line.
    pub width: usize,
}

impl Place {
    /// The position of a byte range in `text`.
    pub(crate) fn of(text: &str, span: Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(before.len()..).unwrap_or_default();
        let end_of_line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let inside = rest
            .get(..span.len().min(end_of_line))
            .unwrap_or_else(|| &rest[..end_of_line]);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            width: inside.chars().count().max(1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A mistake in heeler.toml.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("heeler.toml:{place}: {message}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct ConfigError {
    /// Where in heeler.toml it is.
    pub place: Place,
    /// What was found.
    pub message: String,
    /// What to write instead; None when the message says enough.
    pub hint: Option<String>,
    /// The whole line, for the screen.
    pub excerpt: String,
}

impl ConfigError {
    pub(crate) fn new(text: &str, place: Place, message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            place,
            message: message.into(),
            hint,
            excerpt: text.lines().nth(place.line - 1).unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_within_its_line() {
        let text = "a = 1\nü = \"é\"\n";
        let at = text.find("\"é\"").unwrap();
        assert_eq!(
            Place::of(text, at..at + 4),
            Place {
                line: 2,
                column: 5,
                width: 3
            }
        );
        assert_eq!(
            Place::of(text, 4..text.len()),
            Place {
                line: 1,
                column: 5,
                width: 1
            }
        );
        assert_eq!(
            Place::of(text, text.len()..text.len()),
            Place {
                line: 3,
                column: 1,
                width: 1
            }
        );
        assert_eq!(
            Place::of("", 0..0),
            Place {
                line: 1,
                column: 1,
                width: 1
            }
        );
    }
}
