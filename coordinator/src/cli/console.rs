use std::borrow::Cow;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::args::{Color, Global};
use super::{Exit, Result, json};
use crate::screen::{Line, Screen, escaped, printable, wrap};

/// The person who answers questions; tests replace it.
pub trait Person: Send {
    /// Whether somebody can be asked: stdin and stderr are terminals.
    fn is_there(&self) -> bool;

    /// Asks, and returns one line without its end; None at the end of the input. Fails when the input cannot be read.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;

    /// Everything on stdin, at most `most` + 1 bytes, so that a longer input shows; empty when stdin is a terminal.
    /// Fails when the input cannot be read.
    fn hand_over(&mut self, most: usize) -> io::Result<Vec<u8>>;

    /// Asks for a line that the terminal does not echo. Without a terminal, reads the next line of stdin. Fails as
    /// [`Self::ask`].
    fn ask_secret(&mut self, question: &str) -> io::Result<Option<String>>;
}

/// The person at stdin and stderr.
pub struct AtTerminal;

impl Person for AtTerminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut err = io::stderr().lock();
        write!(err, "{} ", on_screen(question, columns()))?;
        err.flush()?;
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer)?;
        Ok((read > 0).then(|| answer.trim().to_owned()))
    }

    fn hand_over(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if !io::stdin().is_terminal() {
            io::stdin().lock().take(most as u64 + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    fn ask_secret(&mut self, question: &str) -> io::Result<Option<String>> {
        if self.is_there() {
            write!(io::stderr(), "{} ", on_screen(question, columns()))?;
            return console::Term::stderr().read_secure_line().map(Some);
        }
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Columns of the terminal that questions are shown on; 80 when it does not say.
fn columns() -> usize {
    let size = console::Term::stderr().size_checked();
    size.map_or(80, |(_, columns)| usize::from(columns).max(40))
}

/// Breaks the lines of a message that are longer than the terminal is wide.
pub(super) fn folded(text: &str) -> String {
    let screen = Screen {
        width: columns(),
        color: false,
    };
    screen.show(&text.lines().map(Line::of).collect::<Vec<_>>())
}

/// Makes a question printable, line by line: it may quote what a machine said. Lines that do not fit beside the cursor
/// are broken between words.
fn on_screen(question: &str, columns: usize) -> String {
    let lines = question.split('\n').flat_map(|line| {
        let line = printable(line);
        if Line::of(&line).width() + 2 <= columns {
            return vec![line];
        }
        let words = line.trim_start();
        let indent = " ".repeat(line.len() - words.len());
        let parts = wrap(words, columns.saturating_sub(indent.len() + 2));
        parts.into_iter().map(|part| format!("{indent}{part}")).collect()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Output and input of a command.
pub struct Console<'a> {
    /// stdout: results.
    pub out: &'a mut (dyn Write + Send),
    /// stderr: errors and progress.
    pub err: &'a mut (dyn Write + Send),
    /// Answers questions.
    pub person: &'a mut dyn Person,
    /// Width and colours of stdout.
    pub screen: Screen,
    /// Whether results are JSON.
    pub json: bool,
    /// Whether stderr may show moving progress lines.
    pub live: bool,
    /// Time zone for times that are shown.
    pub zone: TimeZone,
}

impl Console<'_> {
    pub(super) fn show(&mut self, lines: &[Line]) -> Result<()> {
        let text = self.screen.show(lines);
        self.write(&text)
    }

    /// Writes one line of text to stdout.
    pub(super) fn say(&mut self, text: impl AsRef<str>) -> Result<()> {
        let lines: Vec<Line> = text.as_ref().lines().map(Line::of).collect();
        self.show(&lines)
    }

    /// Writes the JSON document, or the lines, as the user asked.
    pub(super) fn answer(&mut self, document: impl Serialize, lines: impl FnOnce(Screen) -> Vec<Line>) -> Result<Exit> {
        if self.json {
            self.document(document)?;
        } else {
            let lines = lines(self.screen);
            self.show(&lines)?;
        }
        Ok(Exit::Fine)
    }

    /// The same for a text, whose lines are shown.
    pub(super) fn told(&mut self, document: impl Serialize, text: impl AsRef<str>) -> Result<Exit> {
        self.answer(document, |_| text.as_ref().lines().map(Line::of).collect())
    }

    pub(super) fn document(&mut self, document: impl Serialize) -> Result<()> {
        self.write(&(escaped(&json::pretty(document)) + "\n"))
    }

    pub(super) fn json_line(&mut self, document: impl Serialize) -> Result<()> {
        self.write(&(escaped(&json::line(document)) + "\n"))
    }

    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(super::error::file("write", "stdout"))
    }

    /// Writes somebody's text to stdout: exactly into a file or pipe, without hidden characters on a terminal.
    pub(super) fn text(&mut self, text: &str) -> Result<()> {
        self.write(&for_stdout(text, io::stdout().is_terminal()))
    }

    /// Writes lines to stderr, apart from the result.
    pub(super) fn aside(&mut self, lines: &[Line]) {
        // If stderr is closed there is no place to report that.
        let _ = self.err.write_all(self.screen.show(lines).as_bytes());
    }
}

/// A terminal would obey or hide some characters: they are shown as escapes.
fn for_stdout(text: &str, terminal: bool) -> Cow<'_, str> {
    match terminal {
        true => escaped(&text.replace("\r\n", "\n").replace('\t', "    ")).into(),
        false => text.into(),
    }
}

/// What stdout can show, from the options and NO_COLOR (no-color.org).
pub(super) fn screen(global: &Global, no_color: bool) -> Screen {
    let terminal = console::Term::stdout();
    let attended = io::stdout().is_terminal();
    let columns = terminal.size_checked().filter(|_| attended).map(|(_, columns)| columns);
    Screen {
        width: global.width.or(columns).unwrap_or(80).max(40).into(),
        color: match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => attended && !no_color,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_question_is_broken_between_words() {
        let question = "The host key is new:\n  shown  SHA256:x\nErase the key of the operator ada, who has a key on \
                        this machine, and delete its key? [y/N]";
        let shown = on_screen(question, 40);
        assert!(shown.lines().all(|line| line.len() <= 38), "{shown}");
        assert!(shown.ends_with("key? [y/N]"), "{shown}");
        assert!(shown.contains("\n  shown  SHA256:x\n"), "{shown}");
    }

    #[test]
    fn only_a_terminal_gets_control_characters_escaped() {
        let text = "a = 1 # \u{202e}\u{9b}2J\u{2066}\u{1b}]0;x\rb\r\n\tb = 2\n";
        assert_eq!(for_stdout(text, false), text);
        let shown = for_stdout(text, true);
        assert_eq!(shown, "a = 1 # \\u202e\\u009b2J\\u2066\\u001b]0;x\\u000db\n    b = 2\n");
    }
}
