//! Checks an agent's messages against the table of bounds before they are decoded.

use std::fmt::Display;
use std::marker::PhantomData;

use heeler_proto::bounds::{self, FROM_AGENT};
use heeler_proto::v1::{self, event::Kind, from_agent::Body};
use prost::Message as _;
use prost::bytes::Buf as _;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::app::Refused;

/// A message, or the rest of one that was beyond a bound.
#[derive(Debug)]
pub(super) struct AgentMessage {
    pub(super) body: Option<Body>,
    /// Why the message was not accepted. Without a body the session ends.
    pub(super) refused: Option<Refused>,
}

#[derive(Debug, Default)]
pub(super) struct Bounded(PhantomData<AgentMessage>);

impl Codec for Bounded {
    type Encode = v1::ToAgent;
    type Decode = AgentMessage;
    type Encoder = ProstEncoder<v1::ToAgent>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<v1::ToAgent, v1::ToAgent>::default().encoder()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl Decoder for Bounded {
    type Item = AgentMessage;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<AgentMessage>, Status> {
        let message = source.copy_to_bytes(source.remaining());
        read(&message).map(Some)
    }
}

fn broken(error: impl Display) -> Status {
    Status::new(Code::Internal, format!("a message cannot be read: {error}"))
}

fn read(message: &[u8]) -> Result<AgentMessage, Status> {
    let Err(excess) = bounds::check(message, FROM_AGENT) else {
        let body = v1::FromAgent::decode(message).map_err(broken)?.body;
        return Ok(AgentMessage { body, refused: None });
    };
    let field = excess.field;
    let (number, inside) = bounds::next(&mut &*message).unwrap_or_default();
    let name = FROM_AGENT.iter().find(|known| known.number == number);
    let name = name.map_or("a message", |known| known.name);
    let why = format!("{name} refused: {excess}");
    Ok(AgentMessage {
        body: left_of(number, inside, &why),
        refused: Some(Refused { field, why }),
    })
}

/// The rest of a refused message: its id with the reason in place of its content. So a waiting caller gets an answer,
/// and an event is stored once and not sent again for ever. None for a message without which the session must end.
fn left_of(number: u32, inside: &[u8], why: &str) -> Option<Body> {
    let error = why.to_owned();
    // In each of these messages, field 1 is the request id.
    let id = || bounds::next(&mut &*inside).filter(|(number, id)| *number == 1 && id.len() <= 256);
    let request_id = || {
        id().map(|(_, id)| String::from_utf8_lossy(id).into_owned())
            .unwrap_or_default()
    };
    Some(match number {
        2 => Body::Facts(v1::FactsReply {
            request_id: request_id(),
            error,
            ..v1::FactsReply::default()
        }),
        3 => Body::Preview(v1::PreviewReply {
            request_id: request_id(),
            error,
            ..v1::PreviewReply::default()
        }),
        4 => Body::Event(event(inside, error)?),
        7 => Body::Assignment(v1::AssignmentReply {
            task_id: request_id(),
            reason: error,
            ..v1::AssignmentReply::default()
        }),
        10 => Body::Reach(v1::ReachReply {
            request_id: request_id(),
            error,
            ..v1::ReachReply::default()
        }),
        15 => Body::Snapshots(v1::SnapshotAnswer {
            request_id: request_id(),
            error,
            ..v1::SnapshotAnswer::default()
        }),
        25 => Body::Copy(v1::CopyReply {
            name: request_id(),
            error,
            ..v1::CopyReply::default()
        }),
        30 => Body::Release(v1::ReleaseReply {
            request_id: request_id(),
            error,
            ..v1::ReleaseReply::default()
        }),
        _ => return None,
    })
}

/// Keeps number, time and task. The end of a task becomes a failure, because its content is not known.
fn event(inside: &[u8], why: String) -> Option<v1::Event> {
    let mut rest = inside;
    let (mut kept, mut ends) = (Vec::new(), false);
    loop {
        let before = rest;
        let Some((number, bytes)) = bounds::next(&mut rest) else {
            break;
        };
        if number <= 3 && bytes.len() <= 256 {
            kept.extend_from_slice(before.get(..before.len().checked_sub(rest.len())?)?);
        }
        if kept.len() > 4096 {
            return None;
        }
        ends |= number == 10;
    }
    let event = v1::Event::decode(kept.as_slice()).ok()?;
    let kind = if ends {
        Kind::TaskFinished(v1::TaskFinished {
            outcome: v1::TaskOutcome::Failed.into(),
            reason: why,
            ..v1::TaskFinished::default()
        })
    } else {
        Kind::Note(v1::Note {
            level: "warning".to_owned(),
            text: why,
        })
    };
    Some(v1::Event {
        kind: Some(kind),
        ..event
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: Body) -> AgentMessage {
        read(&v1::FromAgent { body: Some(body) }.encode_to_vec()).unwrap()
    }

    #[test]
    fn a_refused_message_answers_its_question() {
        let facts = v1::Facts {
            pools: vec![v1::Pool::default(); 16_000],
            ..v1::Facts::default()
        };
        let left = of(Body::Facts(v1::FactsReply {
            request_id: "7".into(),
            facts: Some(facts.clone()),
            ..v1::FactsReply::default()
        }));
        let why = "facts refused: 16000 pools, at most 64";
        assert_eq!(left.refused.unwrap().why, why);
        let expected = v1::FactsReply {
            request_id: "7".into(),
            error: why.into(),
            ..v1::FactsReply::default()
        };
        assert_eq!(left.body, Some(Body::Facts(expected)));
    }

    #[test]
    fn an_event_beyond_a_bound_keeps_number_and_task() {
        let event = |kind| v1::Event {
            seq: u64::MAX,
            at_ms: 5,
            task_id: "t".into(),
            kind: Some(kind),
        };
        let finished = v1::TaskFinished {
            outcome: v1::TaskOutcome::Done.into(),
            pools: vec![v1::Pool::default(); 65],
            ..v1::TaskFinished::default()
        };
        let note = v1::Note {
            text: "x".repeat(1 << 20),
            ..v1::Note::default()
        };
        let Some(Body::Event(left)) = of(Body::Event(event(Kind::TaskFinished(finished)))).body else {
            panic!("no event");
        };
        assert_eq!((left.seq, left.at_ms, left.task_id.as_str()), (u64::MAX, 5, "t"));
        let Some(Kind::TaskFinished(end)) = left.kind else {
            panic!("no end");
        };
        assert_eq!(end.outcome(), v1::TaskOutcome::Failed);
        let Some(Body::Event(left)) = of(Body::Event(event(Kind::Note(note)))).body else {
            panic!("no event");
        };
        assert!(matches!(left.kind, Some(Kind::Note(note)) if note.text.len() < 100));
    }

    #[test]
    fn oversized_hellos_and_broken_messages_end_the_session() {
        let hello = v1::Hello {
            agent_version: "x".repeat(2 << 20),
            ..v1::Hello::default()
        };
        let message = v1::FromAgent {
            body: Some(Body::Hello(hello)),
        };
        let left = read(&message.encode_to_vec()).unwrap();
        assert_eq!(left.body, None);
        assert_eq!(
            left.refused.unwrap().why,
            "hello refused: agent_version of 2097152 bytes, at most 256"
        );
        assert!(read(&[0x0A, 0x7F, 1]).is_err());
    }
}
