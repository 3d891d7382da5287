use std::collections::VecDeque;
use std::io;

use jiff::tz::TimeZone;

use super::*;
use crate::cli::Person;
use crate::contact::Fingerprint;
use crate::screen::Screen;

/// Answers in order; `there` says whether it is a terminal.
struct Answers {
    there: bool,
    lines: VecDeque<&'static str>,
    asked: Vec<String>,
}

impl Person for Answers {
    fn is_there(&self) -> bool {
        self.there
    }
    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        self.asked.push(question.to_owned());
        Ok(self.lines.pop_front().map(str::to_owned))
    }
    fn hand_over(&mut self, _: usize) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    fn ask_secret(&mut self, question: &str) -> io::Result<Option<String>> {
        self.ask(question)
    }
}

fn console<'a>(person: &'a mut Answers, out: &'a mut io::Sink, err: &'a mut io::Sink) -> Console<'a> {
    Console {
        out,
        err,
        person,
        screen: Screen {
            width: 80,
            color: false,
        },
        json: false,
        live: false,
        zone: TimeZone::UTC,
    }
}

/// The passwords for `nodes` (each with whether its host key was pinned before), and the questions that were asked.
async fn passwords(
    there: bool,
    each: bool,
    lines: &[&'static str],
    nodes: &[(&str, bool)],
) -> (Vec<Option<String>>, Vec<String>) {
    let mut person = Answers {
        there,
        lines: lines.iter().copied().collect(),
        asked: Vec::new(),
    };
    let (mut out, mut err) = (io::sink(), io::sink());
    let mut console = console(&mut person, &mut out, &mut err);
    let names: Vec<NodeName> = nodes.iter().map(|(name, _)| NodeName::new(name).unwrap()).collect();
    let mut passwords = Passwords::read(&names, each, &mut console).unwrap();
    let key = Fingerprint::parse("ssh-ed25519 SHA256:shown").unwrap();
    let mut sent = Vec::new();
    for (node, (_, known)) in names.iter().zip(nodes) {
        let mut terminal = Terminal {
            console: &mut console,
            passwords: &mut passwords,
        };
        let host = Host {
            node,
            destination: "pi@somewhere",
            key: Some(&key),
            known: *known,
        };
        sent.push(terminal.password(&host).await.ok());
    }
    (sent, person.asked)
}

fn some(words: &[&str]) -> Vec<Option<String>> {
    words.iter().map(|word| Some((*word).to_owned())).collect()
}

#[tokio::test]
async fn an_unknown_host_needs_its_own_password() {
    let (sent, asked) = passwords(true, false, &["first", "second"], &[("a", true), ("b", false)]).await;
    assert_eq!(sent, some(&["first", "second"]));
    assert!(
        asked.iter().all(|question| question.starts_with("sudo password for")),
        "{asked:?}"
    );
    assert!(
        asked[1].contains("b (pi@somewhere, host key ssh-ed25519 SHA256:shown)"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn reusing_a_password_needs_agreement() {
    let (sent, asked) = passwords(
        true,
        false,
        &["first", "y", "no", "third"],
        &[("a", false), ("b", true), ("c", true)],
    )
    .await;
    assert_eq!(sent, some(&["first", "first", "third"]));
    assert!(asked[1].contains("typed for a to b"), "{asked:?}");
    let (sent, _) = passwords(true, true, &["first", "second"], &[("a", true), ("b", true)]).await;
    assert_eq!(sent, some(&["first", "second"]), "-K asks for each");
}

#[tokio::test]
async fn without_a_terminal_each_name_has_its_own_line() {
    let (sent, _) = passwords(false, true, &["first"], &[("a", true), ("b", true)]).await;
    assert_eq!(sent, [Some("first".to_owned()), None]);
    let (sent, _) = passwords(false, true, &["first", "second"], &[("a", false), ("b", false)]).await;
    assert_eq!(sent, some(&["first", "second"]));
    let (sent, _) = passwords(false, false, &["first"], &[("a", true)]).await;
    assert_eq!(sent, [None], "stdin is not read without -K");
}

#[tokio::test]
async fn too_few_passwords_are_refused_before_the_first_node() {
    let mut person = Answers {
        there: false,
        lines: ["one"].into(),
        asked: Vec::new(),
    };
    let (mut out, mut err) = (io::sink(), io::sink());
    let mut console = console(&mut person, &mut out, &mut err);
    let names = ["a", "b"].map(|name| NodeName::new(name).unwrap());
    let passwords = Passwords::read(&names, true, &mut console).unwrap();
    let refused = passwords.check(&names).unwrap_err().to_string();
    assert!(refused.contains("for b"), "{refused}");
    passwords.check(&names[..1]).unwrap();
}
