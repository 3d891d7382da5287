use std::collections::HashSet;

use heeler_proto::v1::{self, Light};
use heeler_store::{Stage, Tx};

use super::super::{App, Result, copies};
use super::alert;
use crate::backup::RECIPIENT;
use crate::screen::span;

/// Nodes named that did not take a copy.
const MOST_PROBLEMS: usize = 5;
const HOUR_MS: u64 = 60 * 60 * 1000;
/// An older newest copy is an alert. Copies are made every hour, and a node that restarts misses one.
const COPIES_MS: u64 = 3 * HOUR_MS;
/// After a start the coordinator has this long to send the copies that were due before.
const MADE_UP_MS: u64 = HOUR_MS / 6;
/// An older backup is an alert, where no node can hold a copy.
const BACKUP_MS: u64 = 7 * 24 * HOUR_MS;
/// A certificate of the authority with less time left is an alert: nodes that are away for long must get the next one
/// in time.
const AUTHORITY_MS: u64 = 500 * 24 * HOUR_MS;

impl App {
    /// Alerts about the coordinator itself: backups, and the next step of a rotation. `nodes`: the names of
    /// all; `held`: some node has a pool of ours.
    pub(super) async fn upkeep(
        &self,
        tx: &mut Tx,
        nodes: &HashSet<&str>,
        held: bool,
        now_ms: u64,
    ) -> Result<Vec<v1::Alert>> {
        let mut alerts = Vec::new();
        if held || !nodes.is_empty() {
            alerts.extend(self.saved(tx, held, now_ms).await?);
        }
        let problems = self.copy_problems();
        // A removed node gets no copy.
        let problems = problems.iter().filter(|problem| nodes.contains(problem.node.as_str()));
        alerts.extend(problems.take(MOST_PROBLEMS).map(|problem| {
            let text = format!("did not take a copy of the coordinator's state: {}", problem.reason);
            alert(Light::Amber, &problem.node, text, "heeler backup copy")
        }));
        let all = tx.authorities().await?;
        let at = |stage| all.iter().find(|authority| authority.stage == stage);
        let begun = match (at(Stage::Next), at(Stage::Old)) {
            (Some(next), _) => Some(("a new certificate authority is announced, not in use yet", next)),
            (None, Some(_)) => at(Stage::Current).map(|new| {
                (
                    "the new certificate authority signs; nodes still trust the old one",
                    new,
                )
            }),
            (None, None) => None,
        };
        if let Some((text, authority)) = begun {
            let waiting = self.in_the_way(tx, &all).await?;
            let names: Vec<_> = waiting.iter().map(|waiting| waiting.node.as_str()).collect();
            let since = span(now_ms.saturating_sub(authority.since_ms));
            let (what, next) = match names.as_slice() {
                [] => (format!("{text}, since {since}"), "heeler ca rotate"),
                names => (
                    format!("{text}, since {since}; waits for {}", names.join(", ")),
                    "heeler ca show",
                ),
            };
            alerts.push(alert(Light::Amber, "", what, next));
        } else if let Some(current) = at(Stage::Current) {
            let left_ms = crate::pki::expires_ms(&current.certificate).saturating_sub(now_ms);
            if left_ms < AUTHORITY_MS {
                let text = format!("the certificate authority's certificate expires in {}", span(left_ms));
                alerts.push(alert(Light::Amber, "", text, "heeler ca rotate"));
            }
        }
        Ok(alerts)
    }

    /// The alert about a missing or old copy of the coordinator's state.
    async fn saved(&self, tx: &mut Tx, held: bool, now_ms: u64) -> Result<Option<v1::Alert>> {
        let copies = copies::newest(tx).await?;
        // A copy from the future was made with a wrong clock, so its age is not known.
        let times = copies.iter().map(|copy| copy.at_ms).filter(|at_ms| *at_ms <= now_ms);
        let copy_ms = times.max().unwrap_or(0);
        let (newest_ms, late_ms) = match held {
            true => (copy_ms, COPIES_MS),
            false => {
                let backup = tx.last_deed("backup").await?;
                (backup.map_or(0, |(at_ms, _)| at_ms).max(copy_ms), BACKUP_MS)
            }
        };
        let since_ms = match newest_ms {
            0 => self.started_ms,
            at_ms => at_ms,
        };
        let made_up = !held || newest_ms == 0 || now_ms.saturating_sub(self.started_ms) >= MADE_UP_MS;
        if now_ms.saturating_sub(since_ms) < late_ms || !made_up {
            return Ok(None);
        }
        let age = match newest_ms {
            0 => "does not exist yet".to_owned(),
            at_ms => format!("is {} old", span(now_ms.saturating_sub(at_ms))),
        };
        let known = tx.meta(RECIPIENT).await?.is_some();
        let (text, next) = match (held, known) {
            (true, true) => (
                format!("the newest copy of the coordinator's state on a node {age}"),
                "heeler backup copy",
            ),
            (true, false) => (
                "no copy of the coordinator's state is kept: there is no recovery key".to_owned(),
                "heeler init",
            ),
            (false, _) => (
                format!("the last backup {age}, and no node has a pool to keep a copy on"),
                "heeler backup create",
            ),
        };
        Ok(Some(alert(Light::Amber, "", text, next)))
    }
}
