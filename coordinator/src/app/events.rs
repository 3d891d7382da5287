use std::collections::VecDeque;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, AlarmKind, EventKind};
use heeler_store::{Event, EventQuery, Store};
use tokio::sync::{broadcast, watch};

use super::{App, Result, Who, decoded};

/// Events read from the database at once.
const PAGE: u32 = 256;

impl App {
    /// Marks the alarms of a node, or of all (an empty name), as seen: the status leaves them out until they occur
    /// again. Returns how many. Fails when the database cannot be written.
    pub async fn seen_alarms(&self, node: &str, who: &Who) -> Result<u32> {
        let mut tx = self.store.write().await?;
        let one = Some(node).filter(|node| !node.is_empty());
        let count = tx.see_alarms(one, &who.name, self.now_ms()).await?;
        if count == 0 {
            return Ok(0);
        }
        self.audit(&mut tx, &who.name, "alarms seen", node, "").await?;
        tx.save().await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The events that match the request; with `follow`, new ones too.
    pub fn follow(&self, request: v1::EventsRequest) -> Follower {
        let (last, progress) = self.feed.follow();
        Follower {
            store: self.store.clone(),
            left: request.limit,
            skip: request.last,
            request,
            last,
            progress,
            page: Vec::new(),
        }
    }
}

/// Reads stored events, then new ones, as fast as its reader takes them.
pub struct Follower {
    store: Store,
    request: v1::EventsRequest,
    // How many events are still to return; counts only when the request has a limit.
    left: u32,
    last: watch::Receiver<u64>,
    progress: broadcast::Receiver<v1::FleetEvent>,
    // Last event first, so that `pop` takes the next.
    page: Vec<Event>,
    // How many last events are wanted, until the first of them is found; 0: all, or found.
    skip: u32,
}

impl Follower {
    /// The next event; None at the end. Fails when the database cannot be read.
    pub async fn next(&mut self) -> Result<Option<v1::FleetEvent>> {
        loop {
            if let Some(event) = self.page.pop() {
                self.request.after = event.id;
                if !self.fits(kind(&event), event.at_ms) {
                    continue;
                }
                self.left = self.left.saturating_sub(1);
                return fleet_event(event).map(Some);
            }
            if self.request.limit > 0 && self.left == 0 {
                return Ok(None);
            }
            self.last.mark_unchanged();
            if self.skip > 0 {
                self.find_last().await?;
            }
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

    /// Moves to the first of the last events that were asked for.
    async fn find_last(&mut self) -> Result<()> {
        let wanted = std::mem::take(&mut self.skip) as usize;
        let (mut ids, mut after) = (VecDeque::new(), self.request.after);
        let mut tx = self.store.read().await?;
        loop {
            let page = tx.events(&self.query(after, 4 * PAGE)).await?;
            let Some(end) = page.last() else { break };
            after = end.id;
            ids.extend(
                page.iter()
                    .filter(|event| self.fits(kind(event), event.at_ms))
                    .map(|event| event.id),
            );
            while ids.len() > wanted {
                ids.pop_front();
            }
        }
        self.request.after = ids.front().map_or(after, |first| first - 1);
        Ok(())
    }

    /// Whether kind and time match the request.
    fn fits(&self, kind: EventKind, at_ms: u64) -> bool {
        let kinds = &self.request.kinds;
        (kinds.is_empty() || kinds.contains(&kind.into())) && at_ms >= self.request.since_ms
    }

    fn query(&self, after: u64, limit: u32) -> EventQuery {
        EventQuery {
            after,
            task_id: self.request.task_id.clone(),
            node: self.request.node.clone(),
            limit,
        }
    }

    async fn read_page(&mut self) -> Result<()> {
        let query = self.query(self.request.after, PAGE);
        self.page = self.store.read().await?.events(&query).await?;
        self.page.reverse();
        Ok(())
    }

    fn wants(&self, event: &v1::FleetEvent) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(&self.request.task_id, &event.task_id)
            && fits(&self.request.node, &event.node)
            && self.fits(event.kind(), event.at_ms)
    }
}

fn kind(event: &Event) -> EventKind {
    EventKind::parse(&event.kind).unwrap_or_default()
}

fn fleet_event(event: Event) -> Result<v1::FleetEvent> {
    let kind = kind(&event).into();
    let body = event.body.map(|bytes| decoded("an event", &bytes)).transpose()?;
    Ok(v1::FleetEvent {
        kind,
        alarm: AlarmKind::parse(&event.alarm).unwrap_or_default().into(),
        id: event.id,
        at_ms: event.at_ms,
        node: event.node,
        task_id: event.task_id,
        subject: event.subject,
        text: event.text,
        event: body,
    })
}
