use heeler_proto::{KeepBackplane, Task};
use heeler_store::Digest;

use crate::config::WantedNode;
use crate::pki::sha256;

/// The task's [`heeler_proto::Task::kind`].
pub(in super::super) const KIND: &str = "keep backplane";

/// The task that configures the node's backplane card; None when heeler.toml gives the node no backplane.
pub(super) fn task(wanted: &WantedNode) -> Option<Task> {
    wanted.backplane.clone().map(Task::KeepBackplane)
}

/// Kind and digest of the task that [`task`] gives.
pub(super) fn wanted_digest(wanted: &WantedNode) -> Option<(&'static str, Digest)> {
    wanted.backplane.as_ref().map(|task| (KIND, digest_of(task)))
}

/// Digest of what a given task wants.
pub(super) fn digest_of(task: &KeepBackplane) -> Digest {
    let KeepBackplane { address, mac, renderer } = task;
    sha256(format!("address {address}\nmac {mac:?}\nrenderer {renderer:?}\n").as_bytes())
}
