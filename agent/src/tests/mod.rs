//! The agent on a simulated machine, with a coordinator that does what the test says, over real mTLS.

mod authority;
mod coordinator;
mod crash;
mod enrolment;
mod node;
mod person;
mod session;
