//! Derives a node's tasks from heeler.toml and the record.

mod access;
mod backplane;
mod boot;
mod copies;
mod erase;
mod locale;
mod names;
mod packages;
mod pool;
mod repositories;
mod scrubs;
mod snapshots;
mod sound;
mod storages;
mod time;
mod timezone;
mod unmanaged;

use heeler_proto::{Task, for_each_task, v1};
use heeler_store::{Digest, Node, Tx};

use super::{AppError, Result};
use crate::config::WantedNode;
use crate::pki::sha256;

pub(super) use backplane::BACKPLANE;
pub(super) use pool::live_serials;
pub use pool::pool_comment;
pub(super) use unmanaged::{unmanaged, unmanaged_pool};

use pool::Record;

/// What tasks are derived from.
struct Source<'a> {
    wanted: &'a WantedNode,
    record: &'a Record,
}

/// A kind of task, as heeler.toml asks for it.
trait Asked: Sized {
    /// None when heeler.toml does not ask the node for it.
    fn from(source: &Source<'_>) -> Option<Self>;

    /// Without what is on record: what heeler.toml says alone. None for a task that heeler.toml cannot ask for.
    fn asked(self) -> Option<Self> {
        Some(self)
    }
}

macro_rules! asked {
    ($($kind:ident $name:literal,)*) => {
        fn derive(source: &Source<'_>) -> Vec<Task> {
            let all = [$(<heeler_proto::$kind as Asked>::from(source).map(Task::$kind),)*];
            all.into_iter().flatten().collect()
        }

        /// The digest of a given task; None for a task that heeler.toml cannot ask for. It covers what heeler.toml
        /// says and not what is on record, so it changes only with heeler.toml.
        pub(super) fn digest_of(task: &Task) -> Option<Digest> {
            let asked = match task.clone() {
                $(Task::$kind(spec) => Task::$kind(spec.asked()?),)*
            };
            Some(sha256(&v1::Task::from(asked).spec))
        }
    };
}
for_each_task!(asked);

/// The tasks of one node, in the order in which they run.
pub(super) async fn tasks(tx: &mut Tx, cluster: &str, node: &Node, wanted: &WantedNode) -> Result<Vec<Task>> {
    let record = Record::of(tx, cluster, node).await?;
    let record = &record;
    Ok(derive(&Source { wanted, record }))
}

/// Kind and digest of each task that a node needs.
pub(super) fn digests(wanted: &WantedNode) -> Vec<(&'static str, Digest)> {
    let record = &Record::default();
    let tasks = derive(&Source { wanted, record });
    let digests = tasks.iter().filter_map(|task| Some((task.kind(), digest_of(task)?)));
    digests.collect()
}
