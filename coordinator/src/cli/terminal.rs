use std::collections::BTreeMap;

use async_trait::async_trait;
use heeler_proto::NodeName;

use super::{CliError, Console, Result};
use crate::contact::{ContactError, Dialogue, Host};
use crate::screen::{self, Line};

/// Sudo passwords of one run. A password goes only to the node that it was typed for. It is offered to another node
/// only if that node's host key was pinned before and the person agrees.
#[derive(Default)]
pub(super) struct Passwords {
    /// Read from stdin before anything began.
    given: BTreeMap<NodeName, String>,
    /// The password that was typed last, with its node.
    typed: Option<(NodeName, String)>,
    /// Whether each node's password is asked for separately.
    each: bool,
}

impl Passwords {
    /// With `ask` and without a terminal, reads one line of stdin for each name, in order.
    pub(super) fn read(names: &[NodeName], ask: bool, console: &mut Console<'_>) -> Result<Self> {
        let mut passwords = Self {
            each: ask,
            ..Self::default()
        };
        if ask && !console.person.is_there() {
            for name in names {
                match console.person.ask_secret("").ok().flatten() {
                    Some(line) => passwords.given.insert(name.clone(), line),
                    None => break,
                };
            }
            if passwords.given.is_empty() {
                return Err(CliError::Usage("no password was given on stdin".into()));
            }
        }
        Ok(passwords)
    }

    /// Fails when stdin had passwords for some of the nodes only, before any node is changed.
    pub(super) fn check(&self, names: &[NodeName]) -> Result<()> {
        let missing = names.iter().find(|name| !self.given.contains_key(name));
        match missing.filter(|_| !self.given.is_empty()) {
            Some(name) => Err(CliError::Usage(format!(
                "no password was given on stdin for {name}: -K needs one line for each NAME, in order"
            ))
            .next("Nothing was changed.")),
            None => Ok(()),
        }
    }

    /// Forgets the typed password because it was wrong.
    pub(super) fn forget(&mut self) {
        self.typed = None;
    }
}

/// First contact's questions, asked on the terminal.
pub(super) struct Terminal<'a, 'b> {
    pub(super) console: &'a mut Console<'b>,
    pub(super) passwords: &'a mut Passwords,
}

#[async_trait]
impl Dialogue for Terminal<'_, '_> {
    fn say(&mut self, text: &str) {
        let width = self.console.screen.width;
        let lines = text.lines().flat_map(|line| screen::wrap(line, width));
        self.console.aside(&lines.map(Line::of).collect::<Vec<_>>());
    }

    async fn password(&mut self, host: &Host<'_>) -> Result<String, ContactError> {
        if let Some(given) = self.passwords.given.remove(host.node) {
            return Ok(given);
        }
        let nobody = || ContactError::NoPassword {
            node: host.node.clone(),
        };
        if !self.console.person.is_there() {
            return Err(nobody());
        }
        let key = host.key.map_or_else(|| "not known".to_owned(), ToString::to_string);
        let who = format!("{} ({}, host key {key})", host.node, host.destination);
        if let Some((of, typed)) = self
            .passwords
            .typed
            .clone()
            .filter(|_| host.known && !self.passwords.each)
            && self
                .confirm(&format!("Send the sudo password that you typed for {of} to {who} too?"))
                .await
        {
            return Ok(typed);
        }
        let asked = self.console.person.ask_secret(&format!("sudo password for {who}:"));
        let password = asked.ok().flatten().ok_or_else(nobody)?;
        self.passwords.typed = Some((host.node.clone(), password.clone()));
        Ok(password)
    }

    async fn typed(&mut self, question: &str) -> Option<String> {
        let there = self.console.person.is_there();
        there
            .then(|| self.console.person.ask(question).ok().flatten())
            .flatten()
    }

    async fn confirm(&mut self, question: &str) -> bool {
        let answer = if self.console.person.is_there() {
            self.console.person.ask(&format!("{question} [y/N]")).ok().flatten()
        } else {
            None
        };
        answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }
}

#[cfg(test)]
mod tests;
