//! Keeps the last status, so that many who ask at once cause the work of one.

use heeler_proto::v1;
use tokio::sync::Mutex;

use super::super::{App, Result};

/// Ages in a kept status may be off by less than this, in milliseconds.
const FRESH_MS: u64 = 1_000;
/// The status of a smaller fleet, in connected nodes, is not kept: it costs little, and sees at once what other programs
/// changed in the state folder.
const MANY: usize = 100;

/// The last status, and what it was made from.
#[derive(Default)]
pub(in super::super) struct Answers(Mutex<Option<(State, v1::StatusReply)>>);

/// Everything besides the time that a status depends on.
#[derive(Debug, Clone, PartialEq)]
struct State {
    changes: u64,
    sessions: (usize, u64),
    trouble: Option<String>,
    finding: Option<String>,
    copy_problems: Vec<v1::CopyProblem>,
}

impl State {
    /// Whether a status that was made from `before` at `made_ms` still holds.
    fn is_told_by(&self, before: &Self, made_ms: u64, now_ms: u64) -> bool {
        self.sessions.0 >= MANY && self == before && made_ms.abs_diff(now_ms) < FRESH_MS
    }
}

impl App {
    /// The state of the fleet, the reasons, and what to type next. Fails when the database cannot be read.
    pub async fn status(&self) -> Result<v1::StatusReply> {
        let (trouble, finding) = (self.trouble_now().await, self.audit_finding().await);
        let mut last = self.answers.0.lock().await;
        // Read before the database is, so that a change in between is seen the next time.
        let state = State {
            changes: self.store.changes(),
            sessions: self.sessions.welcomed(),
            copy_problems: self.copy_problems(),
            trouble: trouble.clone(),
            finding: finding.clone(),
        };
        let now_ms = self.now_ms();
        if let Some((before, reply)) = last.as_ref()
            && state.is_told_by(before, reply.now_ms, now_ms)
        {
            return Ok(reply.clone());
        }
        let reply = self.look_at_all(now_ms, trouble, finding).await?;
        *last = Some((state, reply.clone()));
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            changes: 7,
            sessions: (MANY, 3),
            trouble: None,
            finding: None,
            copy_problems: Vec::new(),
        }
    }

    #[test]
    fn a_status_is_kept_until_something_changes() {
        assert!(state().is_told_by(&state(), 5_000, 5_000));
        assert!(state().is_told_by(&state(), 5_000, 5_999));
        let changed = [
            State { changes: 8, ..state() },
            State {
                sessions: (MANY, 4),
                ..state()
            },
            State {
                trouble: Some("no space left".into()),
                ..state()
            },
            State {
                finding: Some("cut".into()),
                ..state()
            },
            State {
                copy_problems: vec![v1::CopyProblem::default()],
                ..state()
            },
        ];
        for now in changed {
            assert!(!now.is_told_by(&state(), 5_000, 5_000), "{now:?}");
        }
    }

    #[test]
    fn the_status_of_a_small_fleet_is_not_kept() {
        let small = State {
            sessions: (MANY - 1, 3),
            ..state()
        };
        assert!(!small.is_told_by(&small, 5_000, 5_000));
    }

    #[test]
    fn an_old_status_is_not_kept() {
        assert!(!state().is_told_by(&state(), 5_000, 6_000));
        // The clock went back.
        assert!(!state().is_told_by(&state(), 5_000, 3_000));
    }
}
