use super::line::{cut, hang};
use super::{Ink, Line, Screen};
use crate::config::ConfigError;

/// Mistakes of heeler.toml: the line, a caret below the mistake, and what to write instead.
pub fn mistakes(errors: &[ConfigError], screen: Screen) -> Vec<Line> {
    let mut lines = Vec::new();
    for error in errors {
        let place = error.place;
        let head = Line::new().ink(Ink::Bold, format!("heeler.toml:{place}")).plain("  ");
        lines.extend(hang(head, Ink::Red, &error.message, screen));
        let number = format!("  {} | ", place.line);
        let gutter = format!("{} | ", " ".repeat(number.len() - 3));
        // A long line is cut at its start, so that the mistake is visible.
        let room = screen.width.saturating_sub(number.len());
        let skip = (place.column + place.width).saturating_sub(room).min(place.column - 1);
        let excerpt: String = error
            .excerpt
            .chars()
            .skip(skip)
            .map(|c| if c == '\t' { ' ' } else { c })
            .collect();
        lines.push(Line::new().ink(Ink::Dim, &number).plain(cut(&excerpt, room)));
        let before = " ".repeat(place.column - 1 - skip);
        let caret = Line::new()
            .ink(Ink::Dim, &gutter)
            .plain(before)
            .ink(Ink::Red, "^".repeat(place.width));
        match &error.hint {
            Some(hint) if caret.width() + 1 + hint.chars().count() <= screen.width => {
                lines.push(caret.plain(" ").ink(Ink::Green, hint));
            }
            Some(hint) => {
                lines.push(caret);
                lines.extend(hang(Line::new().ink(Ink::Dim, &gutter), Ink::Green, hint, screen));
            }
            None => lines.push(caret),
        }
        lines.push(Line::new());
    }
    let word = if errors.len() == 1 { "mistake" } else { "mistakes" };
    lines.push(Line::of(format!(
        "{} {word} in heeler.toml; no node was contacted.",
        errors.len()
    )));
    lines
}
