use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use heeler_coordinator::cli::{CliError, Console, Demonstration, Exit, Person, Session, Surroundings, run};
use jiff::tz::TimeZone;
use tempfile::TempDir;

use crate::{Fleet, HandClock};

/// A person's machine: a state folder, a login name, and the command line.
pub struct Laptop {
    folder: TempDir,
    state: PathBuf,
    login: String,
}

/// Result of a command line.
pub struct Outcome {
    /// Exit code.
    pub exit: Exit,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
}

struct Nobody;

impl Person for Nobody {
    fn is_there(&self) -> bool {
        false
    }
    fn ask(&mut self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
    fn hand_over(&mut self, _: usize) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn ask_secret(&mut self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
}

struct NoDemo;

#[async_trait(?Send)]
impl Demonstration for NoDemo {
    async fn run(&self, _: bool, _: &mut Console<'_>) -> Result<Exit, CliError> {
        Ok(Exit::Fine)
    }
}

impl Laptop {
    /// The machine of somebody who has nothing yet.
    #[must_use]
    pub fn of(login: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        Self {
            state,
            folder,
            login: login.to_owned(),
        }
    }

    /// The coordinator's own machine.
    #[must_use]
    pub fn beside(fleet: &Fleet) -> Self {
        Self {
            state: fleet.state().path().to_owned(),
            folder: tempfile::tempdir().unwrap(),
            login: crate::ME.to_owned(),
        }
    }

    /// The same machine with another login name.
    #[must_use]
    pub fn as_login(self, login: &str) -> Self {
        Self {
            login: login.to_owned(),
            ..self
        }
    }

    /// Path of a file on this machine; writes `text` if there is some.
    #[must_use]
    pub fn file(&self, name: &str, text: Option<&str>) -> PathBuf {
        let path = self.folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        path
    }

    /// The state folder, with the keys.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Runs a command line without a terminal.
    pub async fn types(&self, clock: &HandClock, line: &str) -> Outcome {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let login = self.login.clone();
        let session = Session {
            out: &mut out,
            err: &mut err,
            person: &mut Nobody,
            around: Surroundings {
                variable: Box::new(move |name| (name == "USER").then(|| login.clone())),
                folder: self.folder.path().to_owned(),
                root: false,
            },
            clock,
            zone: TimeZone::UTC,
            live: false,
            demonstration: &NoDemo,
        };
        let state = ["heeler".into(), "--state".into(), OsString::from(&self.state)];
        let words = state.into_iter().chain(line.split_whitespace().map(OsString::from));
        let exit = run(words, session).await;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome {
            exit,
            out: text(out),
            err: text(err),
        }
    }

    /// As [`Self::types`], but must succeed; returns stdout.
    pub async fn does(&self, clock: &HandClock, line: &str) -> String {
        let outcome = self.types(clock, line).await;
        assert_eq!(outcome.exit, Exit::Fine, "{line}: {}{}", outcome.out, outcome.err);
        outcome.out
    }
}
