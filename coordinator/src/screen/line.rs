use unicode_width::UnicodeWidthChar;

use super::printable::{is_plain, printable};

/// What a piece of a line means. Shown as a colour on a terminal, not at all in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Without emphasis.
    Plain,
    /// Names and headings.
    Bold,
    /// Less important.
    Dim,
    /// Good, or added.
    Green,
    /// Needs attention, or changed.
    Amber,
    /// Bad, removed, or cannot be undone.
    Red,
}

/// A line of coloured pieces. Hidden characters are removed, so a machine's text cannot move the cursor or reverse
/// text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Ink, String)>, usize);

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line with one plain piece.
    pub fn of(text: impl AsRef<str>) -> Self {
        Self::new().plain(text)
    }

    /// Adds a piece.
    #[must_use]
    pub fn ink(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        self.0.push((ink, printable(text.as_ref())));
        self
    }

    /// Adds a plain piece.
    #[must_use]
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.ink(Ink::Plain, text)
    }

    /// Adds blanks up to a column, at least `gap`.
    #[must_use]
    pub fn to(self, column: usize, gap: usize) -> Self {
        let blanks = column.saturating_sub(self.width()).max(gap);
        self.plain(" ".repeat(blanks))
    }

    /// Sets the column at which further rows begin when the line is too long; 0: a few columns in.
    pub(super) fn hanging(mut self, column: usize) -> Self {
        self.1 = column;
        self
    }

    fn with(mut self, ink: Ink, c: char) -> Self {
        match self.0.last_mut() {
            Some((last, text)) if *last == ink => text.push(c),
            _ => self.0.push((ink, c.to_string())),
        }
        self
    }

    /// Width in terminal columns.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }
}

pub(super) fn width(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Width in columns. Only a longer word exceeds it: it is not broken, so that it can be copied.
    pub width: usize,
    pub color: bool,
}

impl Screen {
    /// The lines as text, each with a line feed. Nothing is cut: the rest of a long line is indented below it.
    pub fn show(&self, lines: &[Line]) -> String {
        let mut text = String::new();
        let mut add = |line: &Line| {
            text.push_str(&self.line(line));
            text.push('\n');
        };
        for line in lines {
            match line.width() <= self.width {
                true => add(line),
                false => fold(line, self.width).iter().for_each(&mut add),
            }
        }
        text
    }

    /// One line, without a line feed.
    fn line(self, line: &Line) -> String {
        let mut text = String::new();
        for (ink, piece) in &line.0 {
            self.paint(&mut text, *ink, piece);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }

    fn paint(self, text: &mut String, ink: Ink, piece: &str) {
        let code = match ink {
            _ if !self.color || piece.trim().is_empty() => return text.push_str(piece),
            Ink::Plain => return text.push_str(piece),
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Green => "32",
            Ink::Amber => "33",
            Ink::Red => "31",
        };
        text.push_str("\x1b[");
        text.push_str(code);
        text.push('m');
        text.push_str(piece);
        text.push_str("\x1b[0m");
    }
}

/// Cuts text to `columns` and marks the cut. Only for an excerpt.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Indent of the rest of a long line, in columns.
const FURTHER: usize = 4;
/// Fewest columns in which the rest of a hanging line is shown.
const LEAST: usize = 24;

/// Breaks a line at blanks into rows of at most `columns`.
fn fold(line: &Line, columns: usize) -> Vec<Line> {
    let pieces = line.0.iter();
    let mut left: Vec<(Ink, char)> = pieces.flat_map(|(ink, text)| text.chars().map(|c| (*ink, c))).collect();
    while left.last().is_some_and(|(_, c)| *c == ' ') {
        left.pop();
    }
    let blanks = left.iter().take_while(|(_, c)| *c == ' ').count();
    let indent = match line.1 {
        hang if hang > 0 && hang + LEAST <= columns => hang,
        _ => (blanks + FURTHER).min(columns / 2),
    };
    let mut rows = Vec::new();
    let mut left = left.as_slice();
    loop {
        let (begin, room) = match rows.len() {
            0 => (blanks, columns),
            _ => (0, columns - indent),
        };
        let end = breaks(left, begin, room);
        let (row, rest) = left.split_at(end);
        rows.push(row.iter().fold(
            Line::of(" ".repeat(if rows.is_empty() { 0 } else { indent })),
            |line, (ink, c)| line.with(*ink, *c),
        ));
        let gap = rest.iter().take_while(|(_, c)| *c == ' ').count();
        left = &rest[gap..];
        if left.is_empty() {
            return rows;
        }
    }
}

/// Where a row ends: at the end if the rest fits, else at the last blank that fits, else at the first blank.
fn breaks(text: &[(Ink, char)], begin: usize, room: usize) -> usize {
    let (mut used, mut last) = (0, None);
    for (place, (_, c)) in text.iter().enumerate() {
        if *c == ' ' && place > begin {
            last = Some(place);
        }
        let full = used > room || used == room && *c != ' ';
        if let Some(last) = last.filter(|_| full) {
            return last;
        }
        used += c.width().unwrap_or(0);
    }
    match (used > room, last) {
        (true, Some(last)) => last,
        _ => text.len(),
    }
}

/// Breaks prose between words into lines of at most `columns`. A longer word is broken.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(last) if width(last) + 1 + width(word) <= columns => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.extend(pieces(word, columns)),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn pieces(word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            pieces.push(String::new());
            used = c.width().unwrap_or(0);
        }
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

/// Puts prose after `head`; further lines align with its start.
pub(super) fn hang(head: Line, ink: Ink, text: &str, screen: Screen) -> Vec<Line> {
    brief(head, ink, text, usize::MAX, screen)
}

/// As [`hang`], with at most `most` lines. The last one is marked when text is left out.
pub(super) fn brief(head: Line, ink: Ink, text: &str, most: usize, screen: Screen) -> Vec<Line> {
    let indent = head.width();
    let room = screen.width.saturating_sub(indent);
    let mut lines = wrap(text, room);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while width(last) >= room {
                last.pop();
            }
            last.push('…');
        }
    }
    let mut lines = lines.into_iter();
    let first = head.ink(ink, lines.next().unwrap_or_default());
    let rest = lines.map(|line| Line::of(" ".repeat(indent)).ink(ink, line));
    std::iter::once(first).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Screen = Screen {
        width: 10,
        color: false,
    };

    #[test]
    fn long_lines_continue_below() {
        let shown = |text: &str| NARROW.show(&[Line::of(text)]);
        assert_eq!(shown("0123456789"), "0123456789\n");
        assert_eq!(shown("01234 6789   "), "01234 6789\n");
        assert_eq!(shown("01234 67890"), "01234\n    67890\n");
        assert_eq!(shown("01234 6789 a b c d"), "01234 6789\n    a b c\n    d\n");
        assert_eq!(shown("- a 345 6789"), "- a 345\n    6789\n");
        assert_eq!(shown("  a b c d e f"), "  a b c d\n     e f\n");
        assert_eq!(shown("日本 語日本"), "日本\n    語日本\n");
        assert_eq!(shown(""), "\n");
    }

    #[test]
    fn an_overlong_word_is_not_broken() {
        let name = "data/pve-files@heeler_20260302T180001Z_hourly";
        let shown = NARROW.show(&[Line::of("k8sctl-pi5l has ").plain(name).plain(" now")]);
        assert_eq!(shown, format!("k8sctl-pi5l\n    has\n    {name}\n    now\n"));
    }

    #[test]
    fn a_colour_continues_on_the_next_line() {
        let line = Line::of("- ").ink(Ink::Red, "abc defghij");
        let shown = Screen { width: 10, color: true }.show(&[line]);
        assert_eq!(shown, "- \u{1b}[31mabc\u{1b}[0m\n    \u{1b}[31mdefghij\u{1b}[0m\n");
    }

    #[test]
    fn what_a_machine_reports_cannot_move_the_cursor() {
        let line = Line::of("a\x1b[2Jb\r\nc\u{9b}d\te");
        assert_eq!(Screen { width: 40, color: true }.line(&line), "a[2Jbcd    e");
    }

    #[test]
    fn colour_takes_no_columns() {
        let line = Line::new().ink(Ink::Red, "RED").plain(" x");
        assert_eq!(Screen { width: 5, color: true }.line(&line), "\x1b[31mRED\x1b[0m x");
        assert_eq!(Screen { width: 5, color: false }.line(&line), "RED x");
    }

    #[test]
    fn text_wraps_between_words() {
        assert_eq!(wrap("ab cd  ef ghij", 8), ["ab cd ef", "ghij"]);
        assert_eq!(wrap("0123456789", 8), ["01234567", "89"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn long_text_is_shortened() {
        let head = Line::of("> ");
        let shown = |text, most| NARROW.show(&brief(head.clone(), Ink::Plain, text, most, NARROW));
        assert_eq!(shown("ab cd ef gh", 2), "> ab cd ef\n  gh\n");
        assert_eq!(shown("ab cd ef gh", 1), "> ab cd e…\n");
        assert_eq!(shown("0123456789", 1), "> 0123456…\n");
        assert_eq!(shown("ab cd ef gh ij kl mn", 2), "> ab cd ef\n  gh ij k…\n");
    }
}
