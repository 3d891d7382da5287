use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::pki::Peer;

/// Most connections of one key. One more replaces the oldest without a session; if all have one, it ends itself.
const OF_ONE_KEY: usize = 4;
/// Time to deliver the reason to a node whose key was shut out.
const GOODBYE: Duration = Duration::from_secs(2);

/// The keys of the nodes that may connect, with their connections. In memory, so that a handshake needs no database.
#[derive(Debug, Clone, Default)]
pub struct NodeKeys(Arc<Mutex<Admitted>>);

/// Connections by node and key, oldest first.
type Admitted = HashMap<Peer, VecDeque<Weak<Place>>>;

/// A connection of a node, which may have to give way to a newer one.
#[derive(Debug, Default)]
pub struct Place {
    /// Whether a session is open over it.
    serves: AtomicBool,
    /// Whether it ends for a newer one, or because its key is shut out.
    gives_way: AtomicBool,
    changed: Notify,
}

/// A session is open until this is dropped.
pub struct Serves(Arc<Place>);

impl Drop for Serves {
    fn drop(&mut self) {
        self.0.now_serves(false);
    }
}

impl Place {
    /// Marks the start of a session.
    pub fn serves(self: &Arc<Self>) -> Serves {
        self.now_serves(true);
        Serves(self.clone())
    }

    fn now_serves(&self, now: bool) {
        self.serves.store(now, Ordering::Release);
        self.changed.notify_one();
    }

    fn give_way(&self) {
        self.gives_way.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Waits until the connection must give way, or had no session for that long.
    async fn ends(&self, patience: Duration) {
        while !self.gives_way.load(Ordering::Acquire) {
            let changed = self.changed.notified();
            if self.serves.load(Ordering::Acquire) {
                changed.await;
            } else if timeout(patience, changed).await.is_err() {
                return;
            }
        }
    }
}

impl NodeKeys {
    fn all(&self) -> MutexGuard<'_, Admitted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn admit(&self, key: Peer) {
        self.all().entry(key).or_default();
    }

    /// Shuts a key out and ends its connections.
    pub fn shut_out(&self, key: &Peer) {
        for place in self.all().remove(key).into_iter().flatten() {
            if let Some(place) = place.upgrade() {
                place.give_way();
            }
        }
    }

    pub fn admits(&self, key: &Peer) -> bool {
        self.all().contains_key(key)
    }

    /// Registers a connection. Returns when it must end: its key is shut out, a newer connection of the key replaces
    /// it, or it has no session.
    pub(super) async fn stay(self, key: Peer, own: Arc<Place>, patience: Duration) {
        self.enter(&key, &own);
        own.ends(patience).await;
        if !self.admits(&key) {
            sleep(GOODBYE).await;
        }
    }

    fn enter(&self, key: &Peer, own: &Arc<Place>) {
        let mut all = self.all();
        let Some(places) = all.get_mut(key) else {
            // The key was shut out after the handshake.
            return own.give_way();
        };
        places.retain(|place| place.strong_count() > 0);
        places.push_back(Arc::downgrade(own));
        let idle = |place: &Weak<Place>| {
            place
                .upgrade()
                .is_some_and(|place| !place.serves.load(Ordering::Acquire))
        };
        if places.len() > OF_ONE_KEY
            && let Some(oldest) = places.iter().position(idle).and_then(|oldest| places.remove(oldest))
            && let Some(oldest) = oldest.upgrade()
        {
            oldest.give_way();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const UNUSED: Duration = Duration::from_secs(30);

    fn key() -> Peer {
        Peer {
            node: heeler_proto::NodeName::new("a").unwrap(),
            key_sha256: [7; 32],
        }
    }

    fn come(keys: &NodeKeys) -> (Arc<Place>, tokio::task::JoinHandle<()>) {
        let place = Arc::new(Place::default());
        keys.enter(&key(), &place);
        let (keys, own) = (keys.clone(), place.clone());
        let stays = tokio::spawn(async move {
            own.ends(UNUSED).await;
            drop(keys);
        });
        (place, stays)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_session_is_closed() {
        let keys = NodeKeys::default();
        keys.admit(key());
        let began = Instant::now();
        keys.clone().stay(key(), Arc::new(Place::default()), UNUSED).await;
        assert_eq!(began.elapsed(), UNUSED);

        let (place, stays) = come(&keys);
        let serves = place.serves();
        sleep(UNUSED * 100).await;
        assert!(!stays.is_finished());
        drop(serves);
        let ended = Instant::now();
        stays.await.unwrap();
        assert_eq!(ended.elapsed(), UNUSED);
    }

    #[tokio::test(start_paused = true)]
    async fn one_key_has_few_connections() {
        let keys = NodeKeys::default();
        keys.admit(key());
        let (first, with_session) = come(&keys);
        let _serves = first.serves();
        let mut others: Vec<_> = (0..300).map(|_| come(&keys)).collect();
        tokio::task::yield_now().await;
        sleep(Duration::from_millis(1)).await;
        let open = others.iter().filter(|(_, stays)| !stays.is_finished()).count();
        assert_eq!(open, OF_ONE_KEY - 1, "the newest ones");
        assert!(!others.pop().unwrap().1.is_finished());
        assert!(!with_session.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_revoked_key_opens_no_connection() {
        let keys = NodeKeys::default();
        keys.admit(key());
        let (place, stays) = come(&keys);
        let _serves = place.serves();
        keys.shut_out(&key());
        stays.await.unwrap();
        assert!(!keys.admits(&key()));
        keys.clone().stay(key(), Arc::new(Place::default()), UNUSED).await;
    }
}
