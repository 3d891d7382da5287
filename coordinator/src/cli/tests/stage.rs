//! A folder, a coordinator on a real socket, and a person with prepared answers.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use heeler_proto::v1::operator_server::OperatorServer;
use jiff::tz::TimeZone;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;

use super::fake::{Fake, Script};
use crate::cli::{CliError, Console, Demonstration, Exit, Person, Session, Surroundings, run};
use crate::clock::Clock;

pub const NOW: u64 = 1_790_000_000_000;

/// Gives these answers in order. Without any there is no terminal.
struct Decided {
    there: bool,
    answers: VecDeque<String>,
    asked: Vec<String>,
}

impl Person for Decided {
    fn is_there(&self) -> bool {
        self.there
    }
    fn ask(&mut self, question: &str) -> std::io::Result<Option<String>> {
        self.asked.push(question.to_owned());
        Ok(self.answers.pop_front())
    }
    fn hand_over(&mut self, _: usize) -> std::io::Result<Vec<u8>> {
        Ok(self.answers.pop_front().unwrap_or_default().into_bytes())
    }
    fn ask_secret(&mut self, question: &str) -> std::io::Result<Option<String>> {
        self.ask(question)
    }
}

struct Stopped;
impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        NOW
    }
}

struct NoDemo;
#[async_trait(?Send)]
impl Demonstration for NoDemo {
    async fn run(&self, _: bool, _: &mut Console<'_>) -> Result<Exit, CliError> {
        Ok(Exit::Fine)
    }
}

/// A stdout whose reader has closed it.
struct Closed;
impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Result of a command line.
pub struct Outcome {
    pub exit: Exit,
    pub out: String,
    pub err: String,
    pub asked: Vec<String>,
}

/// A state folder, a config folder, and optionally a coordinator.
pub struct Stage {
    pub folder: tempfile::TempDir,
    pub fake: Fake,
}

impl Stage {
    /// Without a coordinator on the socket.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        Self {
            folder,
            fake: Fake::default(),
        }
    }

    /// With a coordinator that follows `script`, and this heeler.toml.
    pub fn with(toml: &str, script: Script) -> Self {
        let stage = Self::empty();
        std::fs::write(stage.config().join("heeler.toml"), toml).unwrap();
        *stage.fake.0.lock().unwrap() = script;
        let listener = UnixListener::bind(stage.state().join("heeler.sock")).unwrap();
        let service = OperatorServer::new(stage.fake.clone());
        let incoming = UnixListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().serve_with_incoming(service, incoming));
        stage
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub fn key(&self, pem: &str) {
        let folder = self.state().join("operators/me");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("key.pem"), pem).unwrap();
    }

    /// Runs `line` without a terminal.
    pub async fn types(&self, line: &str) -> Outcome {
        self.play(line, None).await
    }

    /// Runs `line`, and answers each question in order.
    pub async fn types_and_says(&self, line: &str, answers: &[&str]) -> Outcome {
        self.play(line, Some(answers)).await
    }

    /// Runs `line` without a terminal, with `stdin` as its input.
    pub async fn is_handed(&self, line: &str, stdin: &str) -> Outcome {
        self.act(line, false, &[stdin]).await
    }

    /// Runs `line` with a closed stdout.
    pub async fn types_unread(&self, line: &str) -> Outcome {
        self.act_into(&mut Closed, line, false, &[]).await
    }

    async fn play(&self, line: &str, answers: Option<&[&str]>) -> Outcome {
        self.act(line, answers.is_some(), answers.unwrap_or_default()).await
    }

    async fn act(&self, line: &str, there: bool, answers: &[&str]) -> Outcome {
        let mut out = Vec::new();
        let outcome = self.act_into(&mut out, line, there, answers).await;
        let out = String::from_utf8(out).unwrap();
        if line.contains("--json") {
            super::documents::conform(line, &out);
        }
        Outcome { out, ..outcome }
    }

    async fn act_into(&self, out: &mut (dyn Write + Send), line: &str, there: bool, answers: &[&str]) -> Outcome {
        let mut err = Vec::new();
        let mut person = Decided {
            there,
            answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
            asked: Vec::new(),
        };
        let state = self.state().to_string_lossy().into_owned();
        let variable = move |name: &str| match name {
            "HEELER_STATE" => Some(state.clone()),
            "USER" => Some("me".to_owned()),
            _ => None,
        };
        let session = Session {
            out,
            err: &mut err,
            person: &mut person,
            around: around(variable, &self.config()),
            clock: &Stopped,
            zone: TimeZone::UTC,
            live: false,
            demonstration: &NoDemo,
        };
        let words = std::iter::once("heeler")
            .chain(line.split_whitespace())
            .map(OsString::from);
        let exit = run(words, session).await;
        Outcome {
            exit,
            out: String::new(),
            err: String::from_utf8(err).unwrap(),
            asked: person.asked,
        }
    }
}

fn around(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static, folder: &Path) -> Surroundings {
    Surroundings {
        variable: Box::new(variable),
        folder: folder.to_owned(),
        root: false,
    }
}
