use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::CliError;
use super::args::{Color, Global};
use crate::screen::{Line, Screen, escaped, printable};

/// Who answers questions.
pub trait Person: Send {
    /// False where nobody can be asked.
    fn is_there(&self) -> bool;

    /// One line, without its end; None at the end of the input.
    ///
    /// # Errors
    /// When the input cannot be read.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;

    /// All that is handed over on stdin, at most `most` bytes and one more; nothing where nobody hands anything over.
    ///
    /// # Errors
    /// When the input cannot be read.
    fn hand_over(&mut self, most: usize) -> io::Result<Vec<u8>>;

    /// One line that the screen does not show; without a terminal the next line of stdin.
    ///
    /// # Errors
    /// As [`Self::ask`].
    fn ask_secret(&mut self, question: &str) -> io::Result<Option<String>>;
}

/// The person at the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct AtTerminal;

impl Person for AtTerminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut err = io::stderr().lock();
        write!(err, "{} ", on_screen(question))?;
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
            write!(io::stderr(), "{} ", on_screen(question))?;
            return console::Term::stderr().read_secure_line().map(Some);
        }
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// A question that quotes what a machine said, line by line.
fn on_screen(question: &str) -> String {
    question.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Where a command writes, and whom it asks.
pub struct Console<'a> {
    /// What was asked for.
    pub out: &'a mut (dyn Write + Send),
    /// What goes wrong, and what goes on.
    pub err: &'a mut (dyn Write + Send),
    /// Who answers.
    pub person: &'a mut dyn Person,
    /// Of `out`.
    pub screen: Screen,
    /// JSON is wanted.
    pub json: bool,
    /// Whether a progress display may move on the screen.
    pub live: bool,
    /// Of the reader.
    pub zone: TimeZone,
}

impl Console<'_> {
    /// Shows lines.
    pub(super) fn show(&mut self, lines: &[Line]) -> Result<(), CliError> {
        let text = self.screen.show(lines);
        self.write(&text)
    }

    /// Shows one line of text.
    pub(super) fn say(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        let lines: Vec<Line> = text.as_ref().lines().map(Line::of).collect();
        self.show(&lines)
    }

    /// Writes a document, or shows lines, as was asked for.
    pub(super) fn answer(
        &mut self,
        json: impl FnOnce() -> Value,
        lines: impl FnOnce(Screen) -> Vec<Line>,
    ) -> Result<(), CliError> {
        if self.json {
            let document = serde_json::to_string_pretty(&json()).unwrap_or_default();
            self.write(&(escaped(&document) + "\n"))
        } else {
            let lines = lines(self.screen);
            self.show(&lines)
        }
    }

    /// One document on one line.
    pub(super) fn json_line(&mut self, document: &Value) -> Result<(), CliError> {
        self.write(&(escaped(&document.to_string()) + "\n"))
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(super::error::file("write", "stdout"))
    }

    /// Says what goes on, beside what was asked for.
    pub(super) fn aside(&mut self, lines: &[Line]) {
        // Nobody can be told when stderr is gone.
        let _ = self.err.write_all(self.screen.show(lines).as_bytes());
    }
}

/// What stdout can show.
#[must_use]
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
