//! Checks an agent's messages against the table of bounds before they are decoded.

use std::fmt::Display;
use std::marker::PhantomData;

use heeler_proto::bounds::{self, FROM_AGENT};
use heeler_proto::v1::{self, event::Kind, from_agent::Body};
use prost::Message;
use prost::bytes::Buf as _;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::ProstEncoder;

use crate::app::Refused;

/// A message, or the rest of one that was beyond a bound.
#[derive(Debug)]
pub(super) struct AgentMessage {
    // Boxed, because every session keeps room for a message while it waits for one.
    pub(super) body: Option<Box<Body>>,
    /// Why the message was not accepted. Without a body the session ends.
    pub(super) refused: Option<Refused>,
}

#[derive(Debug, Default)]
pub(super) struct Bounded(PhantomData<AgentMessage>);

impl Codec for Bounded {
    type Encode = Box<v1::ToAgent>;
    type Decode = AgentMessage;
    type Encoder = ProstEncoder<Box<v1::ToAgent>>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(buffers())
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

    fn buffer_settings(&self) -> BufferSettings {
        buffers()
    }
}

/// Buffers that a session starts with, two of them for as long as it lasts; a longer message makes them grow.
fn buffers() -> BufferSettings {
    BufferSettings::new(64, 32 * 1024)
}

fn broken(error: impl Display) -> Status {
    Status::new(Code::Internal, format!("a message cannot be read: {error}"))
}

fn read(message: &[u8]) -> Result<AgentMessage, Status> {
    let Err(excess) = bounds::check(message, FROM_AGENT) else {
        let body = v1::FromAgent::decode(message).map_err(broken)?.body.map(Box::new);
        return Ok(AgentMessage { body, refused: None });
    };
    let field = excess.field;
    let (number, inside) = bounds::next(&mut &*message).unwrap_or_default();
    let name = FROM_AGENT.iter().find(|known| known.number == number);
    let name = name.map_or("a message", |known| known.name);
    let why = format!("{name} refused: {excess}");
    Ok(AgentMessage {
        body: left_of(number, inside, &why).map(Box::new),
        refused: Some(Refused { field, why }),
    })
}

/// The rest of a refused message: its id with the reason in place of its content. So a waiting caller gets an answer,
/// and an event is stored once and not sent again for ever. None for a message without which the session must end.
fn left_of(number: u32, inside: &[u8], why: &str) -> Option<Body> {
    let error = why.to_owned();
    Some(match number {
        2 => Body::Reply(v1::Reply {
            error,
            ..first_fields(inside, 1)?
        }),
        3 => Body::Event(event(inside, error)?),
        4 => Body::Assignment(v1::AssignmentReply {
            reason: error,
            ..first_fields(inside, 1)?
        }),
        _ => return None,
    })
}

/// A message with its fields up to `last` alone, where they are short.
fn first_fields<M: Message + Default>(inside: &[u8], last: u32) -> Option<M> {
    let mut rest = inside;
    let mut kept = Vec::new();
    loop {
        let before = rest;
        let Some((number, bytes)) = bounds::next(&mut rest) else {
            break;
        };
        if number <= last && bytes.len() <= 256 {
            kept.extend_from_slice(before.get(..before.len().checked_sub(rest.len())?)?);
        }
        if kept.len() > 4096 {
            return None;
        }
    }
    M::decode(kept.as_slice()).ok()
}

/// Keeps number, time and task. The end of a task becomes a failure, because its content is not known.
fn event(inside: &[u8], why: String) -> Option<v1::Event> {
    let event: v1::Event = first_fields(inside, 3)?;
    let mut rest = inside;
    let ends = std::iter::from_fn(|| bounds::next(&mut rest)).any(|(number, _)| number == 10);
    let kind = if ends {
        Kind::TaskFinished(v1::TaskFinished {
            outcome: v1::TaskOutcome::Failed.into(),
            reason: why,
            ..v1::TaskFinished::default()
        })
    } else {
        Kind::Note(v1::Note {
            level: v1::NoteLevel::Warning.into(),
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
    use v1::reply::Answer;

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
        let left = of(Body::Reply(v1::Reply {
            id: 700,
            answer: Some(Answer::Facts(facts)),
            ..v1::Reply::default()
        }));
        let why = "reply refused: 16000 pools, at most 64";
        assert_eq!(left.refused.unwrap().why, why);
        let expected = v1::Reply {
            id: 700,
            error: why.into(),
            ..v1::Reply::default()
        };
        assert_eq!(left.body, Some(Box::new(Body::Reply(expected))));
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
        let Some(Body::Event(left)) = of(Body::Event(event(Kind::TaskFinished(finished))))
            .body
            .map(|body| *body)
        else {
            panic!("no event");
        };
        assert_eq!((left.seq, left.at_ms, left.task_id.as_str()), (u64::MAX, 5, "t"));
        let Some(Kind::TaskFinished(end)) = left.kind else {
            panic!("no end");
        };
        assert_eq!(end.outcome(), v1::TaskOutcome::Failed);
        let Some(Body::Event(left)) = of(Body::Event(event(Kind::Note(note)))).body.map(|body| *body) else {
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
