use similar::{ChangeTag, TextDiff};

use super::{Ink, Line};

/// Lines that go (-) and come (+), each with two lines around; at most `most` of them, the rest is counted.
#[must_use]
pub fn diff(before: &str, after: &str, indent: usize, most: usize) -> Vec<Line> {
    let text = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    let blank = " ".repeat(indent);
    for (index, group) in text.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            lines.push(Line::of(&blank).ink(Ink::Dim, "  …"));
        }
        for change in group.iter().flat_map(|op| text.iter_changes(op)) {
            let (ink, sign) = match change.tag() {
                ChangeTag::Delete => (Ink::Red, "- "),
                ChangeTag::Insert => (Ink::Green, "+ "),
                ChangeTag::Equal => (Ink::Dim, "  "),
            };
            lines.push(Line::of(&blank).ink(ink, format!("{sign}{}", change.value().trim_end_matches('\n'))));
        }
    }
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(Line::of(&blank).ink(Ink::Dim, format!("  … {more} more lines (--json shows all)")));
    }
    lines
}
