use heeler_proto::{KeepBackplane, Task};
use heeler_store::Digest;

use crate::config::WantedNode;
use crate::pki::sha256;

/// As [`heeler_proto::Task::kind`] names it.
pub(in super::super) const KIND: &str = "keep backplane";

/// The task that brings a node's second card up; None when none is wanted.
pub(super) fn task(wanted: &WantedNode) -> Option<Task> {
    wanted.backplane.clone().map(Task::KeepBackplane)
}

/// The kind and digest of this task, where `wanted` has one.
pub(super) fn wanted_digest(wanted: &WantedNode) -> Option<(&'static str, Digest)> {
    wanted.backplane.as_ref().map(|task| (KIND, digest_of(task)))
}

/// The same of a task's.
pub(super) fn digest_of(task: &KeepBackplane) -> Digest {
    let KeepBackplane { address, mac, renderer } = task;
    sha256(format!("address {address}\nmac {mac:?}\nrenderer {renderer:?}\n").as_bytes())
}
