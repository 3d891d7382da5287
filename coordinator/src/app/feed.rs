use heeler_proto::v1;
use tokio::sync::{broadcast, watch};

/// Progress messages queued for a follower; a slow one loses the oldest.
const PROGRESS: usize = 256;

/// Wakes followers. They read stored events from the database, so they neither miss nor repeat one; progress is not
/// stored and may be lost.
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

    /// Announces that events up to `id` are in the database.
    pub(super) fn stored(&self, id: u64) {
        self.last.send_if_modified(|last| {
            let newer = id > *last;
            *last = id.max(*last);
            newer
        });
    }

    /// Passes on progress, which has no number and is not stored.
    pub(super) fn progress(&self, event: v1::FleetEvent) {
        self.progress.send(event).ok();
    }

    pub(super) fn follow(&self) -> (watch::Receiver<u64>, broadcast::Receiver<v1::FleetEvent>) {
        (self.last.subscribe(), self.progress.subscribe())
    }
}
