//! The simulated machine, read by the same code as a real one.

#![expect(clippy::expect_used, reason = "a test that cannot look has failed")]

mod disks;
mod glance;
mod guard;
mod power;
mod recorded;
mod zfs;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use heeler_host::sim::{Builder, Machine};

const A: &str = "S6XNNS0W100001";
const B: &str = "S6XNNS0W100002";

fn node() -> Builder {
    Machine::builder("k8sctl-pi5l")
}

/// The disk's path below /dev/disk/by-id.
fn by_id(serial: &str) -> String {
    format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}")
}

/// Creates a mirror on the two disks, with Heeler's command.
fn create() -> heeler_host::Command {
    heeler_host::zpool::NewPool::new("data", "heeler:k8sctl/k8sctl-pi5l", vec![by_id(A), by_id(B)]).command()
}

fn args(command: &heeler_host::Command) -> Vec<&str> {
    command.args.iter().map(String::as_str).collect()
}

/// Polls a future that waits for nothing outside; None when it never completes, because power failed.
fn now<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for _ in 0..10_000 {
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => return Some(done),
            // It may only have yielded; after that there is nothing left to wait for.
            Poll::Pending => {}
        }
    }
    None
}
