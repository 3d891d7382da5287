//! Every recorded command runs again, in order, against the doubles: stdout, stderr and exit code are compared line by
//! line. What is not compared stands in a table with its reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod beyond;
mod case;
mod compare;
mod faults;
mod machine;
mod recorded;
mod transcript;
mod varies;
