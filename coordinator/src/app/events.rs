use heeler_proto::v1;
use heeler_store::{Event, EventQuery, Store};
use tokio::sync::{broadcast, watch};

use super::{App, AppError, decoded};

const PAGE: u32 = 256;

impl App {
    /// The events that were asked for, and with `follow` those to come.
    #[must_use]
    pub fn follow(&self, request: v1::EventsRequest) -> Follower {
        let (last, progress) = self.feed.follow();
        Follower {
            store: self.store.clone(),
            left: request.limit,
            request,
            last,
            progress,
            page: Vec::new(),
        }
    }
}

/// Walks the stored events, then the live ones, at its reader's pace.
pub struct Follower {
    store: Store,
    request: v1::EventsRequest,
    // 0: without a limit.
    left: u32,
    last: watch::Receiver<u64>,
    progress: broadcast::Receiver<v1::FleetEvent>,
    // In reverse.
    page: Vec<Event>,
}

impl Follower {
    /// The next event; None when there is no more to come.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next(&mut self) -> Result<Option<v1::FleetEvent>, AppError> {
        loop {
            if let Some(event) = self.page.pop() {
                self.request.after = event.id;
                return fleet_event(event).map(Some);
            }
            if self.request.limit > 0 && self.left == 0 {
                return Ok(None);
            }
            self.last.mark_unchanged();
            self.read_page().await?;
            if !self.page.is_empty() {
                continue;
            }
            if !self.request.follow {
                return Ok(None);
            }
            tokio::select! {
                biased;
                changed = self.last.changed() => if changed.is_err() { return Ok(None) },
                progress = self.progress.recv() => if let Ok(event) = progress && self.wants(&event) {
                    return Ok(Some(event));
                },
            }
        }
    }

    async fn read_page(&mut self) -> Result<(), AppError> {
        let limit = if self.request.limit == 0 {
            PAGE
        } else {
            PAGE.min(self.left)
        };
        let (task_id, node) = (self.request.task_id.clone(), self.request.node.clone());
        let query = EventQuery {
            after: self.request.after,
            task_id,
            node,
            limit,
        };
        self.page = self.store.read().await?.events(&query).await?;
        self.left = self
            .left
            .saturating_sub(u32::try_from(self.page.len()).unwrap_or(u32::MAX));
        self.page.reverse();
        Ok(())
    }

    fn wants(&self, event: &v1::FleetEvent) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(&self.request.task_id, &event.task_id) && fits(&self.request.node, &event.node)
    }
}

fn fleet_event(event: Event) -> Result<v1::FleetEvent, AppError> {
    let body = event.body.map(|bytes| decoded("an event", &bytes)).transpose()?;
    Ok(v1::FleetEvent {
        id: event.id,
        at_ms: event.at_ms,
        node: event.node,
        task_id: event.task_id,
        kind: event.kind,
        text: event.text,
        event: body,
    })
}
