use std::io::{self, Write as _};

use heeler_coordinator::cli::Person;

/// Answers every question as a person who agrees; the reader sees question and answer.
pub struct Typist;

impl Person for Typist {
    fn is_there(&self) -> bool {
        true
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut words = question.split_whitespace();
        let answer = match (words.next(), words.next()) {
            (Some("Type"), Some(word)) => word,
            _ => "y",
        };
        writeln!(io::stderr(), "{question} {answer}")?;
        Ok(Some(answer.to_owned()))
    }

    fn hand_over(&mut self, _: usize) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn ask_secret(&mut self, _question: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
}
