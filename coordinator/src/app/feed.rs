use heeler_proto::v1;
use tokio::sync::{broadcast, watch};

/// Progress that a slow reader may miss.
const PROGRESS: usize = 256;

/// Tells followers that there is something new. What is stored is read from the database, so that nobody misses or
/// repeats an event; progress is not stored, and may be missed.
#[derive(Debug)]
pub(super) struct Feed {
    last: watch::Sender<u64>,
    progress: broadcast::Sender<v1::FleetEvent>,
}

impl Feed {
    pub(super) fn new(last: u64) -> Self {
        Self {
            last: watch::Sender::new(last),
            progress: broadcast::Sender::new(PROGRESS),
        }
    }

    /// The event of that number is in the database.
    pub(super) fn stored(&self, id: u64) {
        self.last.send_if_modified(|last| {
            let newer = id > *last;
            *last = id.max(*last);
            newer
        });
    }

    /// Something is on its way.
    pub(super) fn progress(&self, event: v1::FleetEvent) {
        self.progress.send(event).ok();
    }

    pub(super) fn follow(&self) -> (watch::Receiver<u64>, broadcast::Receiver<v1::FleetEvent>) {
        (self.last.subscribe(), self.progress.subscribe())
    }
}
