//! The fleet in one process, over loopback mTLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod apply;
mod audit;
mod backplane;
mod data;
mod enrolment;
mod pause;
mod recover;
mod recovery;
mod scene;
mod session;
