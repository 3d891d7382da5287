//! The agent against a coordinator that does what the test says, over real mTLS, on a simulated machine.

mod authority;
mod coordinator;
mod crash;
mod enrolment;
mod node;
mod person;
mod session;
