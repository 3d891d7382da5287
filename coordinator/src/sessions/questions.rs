//! The open questions to an agent. Each is answered at most once, and only by an answer of its kind.

use std::collections::VecDeque;
use std::time::Duration;

use heeler_proto::v1::{self, Refusal, reply::Answer, request::Ask};
use tokio::sync::oneshot;

/// Most open questions; one more replaces the oldest.
const MOST: usize = 64;

/// An agent's answer, or its reason for giving none.
pub type Answered = Result<Answer, (Refusal, String)>;

#[derive(Debug)]
pub enum Purpose {
    /// A caller waits for it.
    Caller(oneshot::Sender<Answered>),
    /// The facts are stored.
    Facts,
    /// The facts of the pools are stored; `again`: they have changed since the question.
    Pools {
        /// Whether to ask once more.
        again: bool,
    },
    /// The node is compared with an accepted revision.
    Drift {
        /// Number of the revision, from 1.
        revision: u64,
    },
    /// A peer says whether it reaches a node whose network changed.
    Reach {
        operation: u64,
        /// Id of the change, unique on that node.
        guard_id: String,
        /// When it was asked, Unix milliseconds: an answer to an earlier question does not count.
        asked_at_ms: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("{1}")]
    Refused(Refusal, String),
    #[error("the connection was lost meanwhile")]
    Lost,
    /// It took longer than the caller waits.
    #[error("it did not answer within {} s", .0.as_secs())]
    Late(Duration),
}

/// A request, and the answer that fits it.
pub trait Question: Sized {
    type Answer;
    /// The request for the wire.
    fn ask(self) -> Ask;
    /// The answer from the wire; None when it answers another kind of request.
    fn answer(answer: Answer) -> Option<Self::Answer>;
}

macro_rules! questions {
    ($($kind:ident: $ask:ident -> $answer:ident,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Kind {
            $($kind,)*
        }

        impl Kind {
            const fn of(ask: &Ask) -> Self {
                match ask {
                    $(Ask::$kind(_) => Self::$kind,)*
                }
            }

            fn fits(self, answer: &Answer) -> bool {
                match answer {
                    $(Answer::$kind(_) => self == Self::$kind,)*
                }
            }
        }

        $(impl Question for v1::$ask {
            type Answer = v1::$answer;

            fn ask(self) -> Ask {
                Ask::$kind(self)
            }

            fn answer(answer: Answer) -> Option<v1::$answer> {
                match answer {
                    Answer::$kind(answer) => Some(answer),
                    _ => None,
                }
            }
        })*
    };
}

questions! {
    Facts: FactsRequest -> Facts,
    Preview: PreviewRequest -> Preview,
    Snapshots: SnapshotAsk -> SnapshotAnswer,
    Reach: ReachRequest -> Reach,
    Copy: CopyChunk -> CopyStored,
    Release: ReleaseRequest -> ReleasePlan,
}

#[derive(Debug)]
struct Open {
    id: u64,
    kind: Kind,
    purpose: Purpose,
}

#[derive(Debug, Default)]
pub(super) struct Questions {
    /// Oldest first.
    open: VecDeque<Open>,
    last_id: u64,
}

impl Questions {
    pub(super) fn add(&mut self, ask: Ask, purpose: Purpose) -> v1::Request {
        if self.open.len() >= MOST {
            self.open.pop_front();
        }
        self.last_id += 1;
        let (id, kind) = (self.last_id, Kind::of(&ask));
        self.open.push_back(Open { id, kind, purpose });
        v1::Request { id, ask: Some(ask) }
    }

    /// Notes that the pools changed. False when no question about them is open.
    pub(super) fn pools_changed(&mut self) -> bool {
        let open = self.open.iter_mut().find_map(|open| match &mut open.purpose {
            Purpose::Pools { again } => Some(again),
            _ => None,
        });
        open.map(|again| *again = true).is_some()
    }

    /// What the reply is for. None when it was not asked for, or answers another kind of question.
    pub(super) fn take(&mut self, reply: v1::Reply) -> Option<(Purpose, Answered)> {
        let place = self.open.iter().position(|open| {
            let fits = reply.answer.as_ref().is_none_or(|answer| open.kind.fits(answer));
            open.id == reply.id && fits
        })?;
        let purpose = self.open.remove(place)?.purpose;
        let refusal = reply.refusal();
        let answered = match reply.answer {
            Some(answer) if reply.error.is_empty() => Ok(answer),
            None if reply.error.is_empty() => {
                let text = "its answer has no content: it has another version".to_owned();
                Err((Refusal::Unspecified, text))
            }
            _ => Err((refusal, reply.error)),
        };
        Some((purpose, answered))
    }

    pub(super) fn forget(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Ask {
        Ask::Facts(v1::FactsRequest::default())
    }

    fn reply(id: u64, answer: Answer) -> v1::Reply {
        v1::Reply {
            id,
            answer: Some(answer),
            ..v1::Reply::default()
        }
    }

    #[test]
    fn an_answer_is_taken_once() {
        let mut questions = Questions::default();
        let id = questions.add(facts(), Purpose::Facts).id;
        let answer = || reply(id, Answer::Facts(v1::Facts::default()));
        assert!(
            questions
                .take(reply(id + 1, Answer::Facts(v1::Facts::default())))
                .is_none()
        );
        assert!(matches!(questions.take(answer()), Some((Purpose::Facts, Ok(_)))));
        assert!(questions.take(answer()).is_none());
    }

    #[test]
    fn another_kind_of_answer_is_not_taken() {
        let mut questions = Questions::default();
        let id = questions.add(Ask::Copy(v1::CopyChunk::default()), Purpose::Facts).id;
        assert!(questions.take(reply(id, Answer::Facts(v1::Facts::default()))).is_none());
        assert!(
            questions
                .take(reply(id, Answer::Copy(v1::CopyStored::default())))
                .is_some()
        );
    }

    #[test]
    fn a_reply_without_content_is_no_answer() {
        let mut questions = Questions::default();
        for error in ["", "busy"] {
            let id = questions.add(facts(), Purpose::Facts).id;
            let reply = v1::Reply {
                id,
                error: error.to_owned(),
                ..v1::Reply::default()
            };
            assert!(matches!(questions.take(reply), Some((Purpose::Facts, Err((_, why)))) if !why.is_empty()));
        }
    }

    #[test]
    fn too_many_questions_replace_the_oldest() {
        let mut questions = Questions::default();
        let first = questions.add(facts(), Purpose::Facts).id;
        let ids: Vec<u64> = (0..MOST).map(|_| questions.add(facts(), Purpose::Facts).id).collect();
        let mut taken = |id| questions.take(reply(id, Answer::Facts(v1::Facts::default()))).is_some();
        assert!(!taken(first));
        assert!(ids.into_iter().all(taken));
    }

    #[test]
    fn only_one_question_about_pools_is_open() {
        let mut questions = Questions::default();
        assert!(!questions.pools_changed());
        let id = questions.add(facts(), Purpose::Pools { again: false }).id;
        assert!(questions.pools_changed());
        let taken = questions.take(reply(id, Answer::Facts(v1::Facts::default())));
        assert!(matches!(taken, Some((Purpose::Pools { again: true }, Ok(_)))));
        assert!(!questions.pools_changed());
    }
}
