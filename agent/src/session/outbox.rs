use std::collections::VecDeque;

use heeler_proto::Message as _;
use heeler_proto::bounds::{self, FROM_AGENT};
use heeler_proto::v1::{FromAgent, from_agent};

use super::{SessionError, message};
use crate::journal::{NumberedEvent, State};
use crate::wire;

/// The most answers that may wait. A coordinator sends a few requests at a time and reads the answers meanwhile.
const MOST_ANSWERS: usize = 64;
/// The most bytes of waiting answers. The largest one, the facts of a node with many disks and pools, has less than 4
/// MiB.
const MOST_BYTES: usize = 32 << 20;

/// What this session has still to send: answers first, then events, then the latest progress.
pub struct Outbox {
    answers: VecDeque<FromAgent>,
    /// Encoded size of all answers.
    bytes: usize,
    progress: Option<NumberedEvent>,
    /// The last event that this session has sent.
    sent: u64,
}

impl Outbox {
    /// Of a session whose coordinator has stored all events up to `acknowledged`.
    pub const fn after(acknowledged: u64) -> Self {
        Self {
            answers: VecDeque::new(),
            bytes: 0,
            progress: None,
            sent: acknowledged,
        }
    }

    pub fn push(&mut self, answer: FromAgent) {
        let answer = bounded(answer);
        self.bytes += answer.encoded_len();
        self.answers.push_back(answer);
    }

    /// Whether another request can be accepted. If not, the session must end. That loses nothing: events stay in the
    /// journal, and the coordinator sends its requests again. Fails when too many answers wait to be read.
    pub fn room(&self) -> Result<(), SessionError> {
        match self.answers.len() < MOST_ANSWERS && self.bytes < MOST_BYTES {
            true => Ok(()),
            false => Err(SessionError::Unread),
        }
    }

    pub fn progress(&mut self, latest: Option<NumberedEvent>) {
        self.progress = latest;
    }

    pub fn waiting(&self, journal: &State) -> bool {
        let last = journal.events.last().map_or(0, |numbered| numbered.seq);
        !self.answers.is_empty() || last > self.sent || self.progress.is_some()
    }

    /// The next message to send; None when there is nothing.
    pub fn next(&mut self, journal: &State) -> Option<FromAgent> {
        if let Some(answer) = self.answers.pop_front() {
            self.bytes -= answer.encoded_len();
            return Some(answer);
        }
        let numbered = match journal.events.iter().find(|numbered| numbered.seq > self.sent) {
            Some(numbered) => {
                // Progress from before the event is outdated.
                self.progress = None;
                self.sent = numbered.seq;
                numbered.clone()
            }
            None => self.progress.take()?,
        };
        Some(bounded(message(from_agent::Body::Event(wire::event(numbered)))))
    }
}

/// Cuts texts that are too long, because the coordinator would refuse the whole message.
fn bounded(message: FromAgent) -> FromAgent {
    let encoded = message.encode_to_vec();
    if bounds::check(&encoded, FROM_AGENT).is_ok() {
        return message;
    }
    FromAgent::decode(bounds::cut(&encoded, FROM_AGENT).as_slice()).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use heeler_proto::TaskId;
    use heeler_proto::v1::reply::Answer;
    use heeler_proto::v1::{self, Pong, Reply};
    use heeler_tasks::engine::Event;

    use super::*;
    use crate::journal::Entry;

    fn numbered(seq: u64) -> NumberedEvent {
        NumberedEvent {
            seq,
            at_ms: 0,
            task: Some(TaskId::from_random(1)),
            event: Event::StepStarted {
                step: "PoolExists".into(),
            },
        }
    }

    fn reply(answer: Answer) -> FromAgent {
        message(from_agent::Body::Reply(Reply {
            id: 1,
            answer: Some(answer),
            ..Reply::default()
        }))
    }

    fn drain(outbox: &mut Outbox, state: &State) -> Vec<Option<u64>> {
        let mut sent = Vec::new();
        while let Some(next) = outbox.next(state) {
            sent.push(match next.body {
                Some(from_agent::Body::Event(event)) => Some(event.seq),
                _ => None,
            });
        }
        sent
    }

    #[test]
    fn a_session_sends_unacknowledged_events_once_in_order() {
        let mut state = State::default();
        (1..=5).for_each(|seq| state.apply(Entry::Told(numbered(seq))));
        let mut outbox = Outbox::after(2);
        outbox.push(message(from_agent::Body::Pong(Pong { nonce: 1 })));
        assert!(outbox.waiting(&state));
        assert_eq!(drain(&mut outbox, &state), [None, Some(3), Some(4), Some(5)]);
        assert!(!outbox.waiting(&state));
    }

    #[test]
    fn too_many_unread_answers_end_the_session() {
        let pong = || message(from_agent::Body::Pong(Pong { nonce: 1 }));
        let mut outbox = Outbox::after(0);
        for _ in 0..MOST_ANSWERS {
            assert!(outbox.room().is_ok());
            outbox.push(pong());
        }
        assert!(matches!(outbox.room(), Err(SessionError::Unread)));
        outbox.next(&State::default()).unwrap();
        assert!(outbox.room().is_ok());
    }

    #[test]
    fn a_few_large_unread_answers_end_the_session() {
        let large = || {
            let step = v1::StepReport {
                reason: "x".repeat(16 << 10),
                ..v1::StepReport::default()
            };
            reply(Answer::Preview(v1::Preview {
                steps: vec![step; 256],
                facts: None,
            }))
        };
        let mut outbox = Outbox::after(0);
        for _ in 0..8 {
            assert!(outbox.room().is_ok());
            outbox.push(large());
        }
        assert!(matches!(outbox.room(), Err(SessionError::Unread)));
        outbox.next(&State::default()).unwrap();
        assert!(outbox.room().is_ok());
        while outbox.next(&State::default()).is_some() {}
        assert_eq!(outbox.bytes, 0);
    }

    #[test]
    fn one_overlong_value_does_not_drop_the_facts() {
        let odd = "é".repeat(4000);
        let facts = |comment: &str| v1::Facts {
            hostname: "a".into(),
            pools: vec![
                v1::Pool {
                    name: "data".into(),
                    guid: "7".into(),
                    ..v1::Pool::default()
                },
                v1::Pool {
                    name: "odd".into(),
                    guid: "8".into(),
                    comment: comment.into(),
                    ..v1::Pool::default()
                },
            ],
            ..v1::Facts::default()
        };
        let mut outbox = Outbox::after(0);
        outbox.push(reply(Answer::Facts(facts(&odd))));
        let sent = outbox.next(&State::default()).unwrap();
        bounds::check(&sent.encode_to_vec(), FROM_AGENT).unwrap();
        let expected = facts(&format!("{}…", "é".repeat(126)));
        assert_eq!(sent, reply(Answer::Facts(expected)));
    }

    #[test]
    fn events_are_sent_before_progress() {
        let mut state = State::default();
        let mut outbox = Outbox::after(0);
        outbox.progress(Some(numbered(0)));
        assert_eq!(drain(&mut outbox, &state), [Some(0)]);
        outbox.progress(Some(numbered(0)));
        state.apply(Entry::Told(numbered(1)));
        assert_eq!(drain(&mut outbox, &state), [Some(1)]);
    }
}
