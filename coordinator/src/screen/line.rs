use unicode_width::UnicodeWidthChar;

/// What a piece of a line means; a terminal shows it as a colour, a file not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// As it is.
    Plain,
    /// Names and headings.
    Bold,
    /// Of less weight.
    Dim,
    /// Good, or added.
    Green,
    /// Worth a look, or changed.
    Amber,
    /// Bad, removed, or beyond return.
    Red,
}

/// A line of pieces. Control characters never get into it: what a machine reports cannot move a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Ink, String)>);

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    #[must_use]
    pub fn of(text: impl AsRef<str>) -> Self {
        Self::new().plain(text)
    }

    /// With a piece more.
    #[must_use]
    pub fn ink(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        let text = text.as_ref().replace('\t', "    ");
        self.0.push((ink, text.chars().filter(|c| !c.is_control()).collect()));
        self
    }

    /// With a plain piece more.
    #[must_use]
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.ink(Ink::Plain, text)
    }

    /// With blanks up to a column; at least `gap` of them.
    #[must_use]
    pub fn to(self, column: usize, gap: usize) -> Self {
        let blanks = column.saturating_sub(self.width()).max(gap);
        self.plain(" ".repeat(blanks))
    }

    /// In columns of a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Where lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// In columns; nothing is ever wider.
    pub width: usize,
    /// Whether [`Ink`] shows.
    pub color: bool,
}

impl Screen {
    /// The lines as text, each ended by a line feed; what is too wide is cut and marked.
    #[must_use]
    pub fn show(&self, lines: &[Line]) -> String {
        lines.iter().map(|line| self.line(line) + "\n").collect()
    }

    /// One line, without its end.
    #[must_use]
    pub fn line(&self, line: &Line) -> String {
        let mut text = String::new();
        let mut left = self.width;
        let mut rest = line.width();
        for (ink, piece) in &line.0 {
            let fits = rest <= left;
            let piece_width = width(piece);
            let shown = if fits { piece.clone() } else { cut(piece, left) };
            self.paint(&mut text, *ink, &shown);
            if !fits && piece_width >= left {
                break;
            }
            left = left.saturating_sub(piece_width);
            rest -= piece_width;
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

/// At most `columns` wide; what is cut is marked.
fn cut(text: &str, columns: usize) -> String {
    if width(text) < columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Prose in lines of at most `columns`, broken between words; a longer word is broken where it must.
#[must_use]
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

/// Prose behind `head` in the first line, and below its end in the next ones.
pub(super) fn hang(head: Line, ink: Ink, text: &str, screen: Screen) -> Vec<Line> {
    brief(head, ink, text, usize::MAX, screen)
}

/// As [`hang`], in at most `most` lines; the last one ends in a mark when there is more.
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
    fn nothing_is_wider_than_the_screen_and_what_is_cut_is_marked() {
        assert_eq!(NARROW.line(&Line::of("0123456789")), "0123456789");
        assert_eq!(NARROW.line(&Line::of("01234567890")), "012345678…");
        assert_eq!(
            NARROW.line(&Line::of("01234").plain("56789").plain("x")),
            "0123456789"[..9].to_owned() + "…"
        );
        assert_eq!(NARROW.line(&Line::of("0123456789").plain("x")), "012345678…");
        assert_eq!(NARROW.line(&Line::of("日本語日本語")), "日本語日…");
    }

    #[test]
    fn what_a_machine_reports_cannot_move_the_cursor() {
        let line = Line::of("a\x1b[2Jb\r\nc\u{9b}d\te");
        assert_eq!(Screen { width: 40, color: true }.line(&line), "a[2Jbcd    e");
    }

    #[test]
    fn colour_is_only_shown_where_it_is_wanted_and_takes_no_room() {
        let line = Line::new().ink(Ink::Red, "RED").plain(" x");
        assert_eq!(Screen { width: 5, color: true }.line(&line), "\x1b[31mRED\x1b[0m x");
        assert_eq!(Screen { width: 5, color: false }.line(&line), "RED x");
    }

    #[test]
    fn prose_breaks_between_words_and_a_long_word_where_it_must() {
        assert_eq!(wrap("ab cd  ef ghij", 8), ["ab cd ef", "ghij"]);
        assert_eq!(wrap("0123456789", 8), ["01234567", "89"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn what_is_long_is_told_in_brief() {
        let head = Line::of("> ");
        let shown = |text, most| NARROW.show(&brief(head.clone(), Ink::Plain, text, most, NARROW));
        assert_eq!(shown("ab cd ef gh", 2), "> ab cd ef\n  gh\n");
        assert_eq!(shown("ab cd ef gh", 1), "> ab cd e…\n");
        assert_eq!(shown("0123456789", 1), "> 0123456…\n");
        assert_eq!(shown("ab cd ef gh ij kl mn", 2), "> ab cd ef\n  gh ij k…\n");
    }
}
