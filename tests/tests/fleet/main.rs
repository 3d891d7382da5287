//! Tests of a whole fleet in one process, over mTLS on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adoption;
mod apply;
mod audit;
mod authority;
mod away;
mod backplane;
mod card;
mod clocks;
mod config_db;
mod crowd;
mod data;
mod enrolment;
mod everyday;
mod false_reports;
mod from_ansible;
mod full;
mod history;
mod hold;
mod hostile;
mod keep;
mod legs;
mod operators;
mod order;
mod pause;
mod pools;
mod recover;
mod recovery;
mod scene;
mod secrets;
mod session;
mod upkeep;
