use std::borrow::Cow;

use similar::{ChangeTag, TextDiff};

use super::{Ink, Line, is_hidden};

/// Removed (-) and added (+) lines, each with two lines around. At most `most` lines; the rest is counted.
pub fn diff(before: &str, after: &str, indent: usize, most: usize) -> Vec<Line> {
    let (before, after) = (legible(before), legible(after));
    let text = TextDiff::from_lines(before.as_ref(), after.as_ref());
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

/// Text as it is; anything else as hex bytes.
fn legible(text: &str) -> Cow<'_, str> {
    let is_text = |c: char| !is_hidden(c) || matches!(c, '\n' | '\t' | '\r');
    if text.chars().all(is_text) {
        return Cow::Borrowed(text);
    }
    let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(bytes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Screen;

    #[test]
    fn a_diff_shows_line_ends_at_any_width() {
        let keep = |last: &str| {
            format!("data/pve-files  4 frequent (15 min), 24 hourly, 14 daily, 8 weekly, 6 monthly, {last}\n")
        };
        let shown = |width| Screen { width, color: false }.show(&diff(&keep("1 yearly"), &keep("5 yearly"), 10, 16));
        assert_eq!(
            shown(80),
            "          - data/pve-files  4 frequent (15 min), 24 hourly, 14 daily, 8 weekly,\n\
             \x20             6 monthly, 1 yearly\n\
             \x20         + data/pve-files  4 frequent (15 min), 24 hourly, 14 daily, 8 weekly,\n\
             \x20             6 monthly, 5 yearly\n"
        );
        let wide = shown(120);
        assert!(
            wide.lines().count() == 2 && wide.contains("monthly, 5 yearly\n"),
            "{wide}"
        );
        assert!(!shown(40).contains('…'));
    }
}
