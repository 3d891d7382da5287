//! Checks the audit log while the coordinator runs, so that the status shows a fault unasked.

use heeler_store::StoreError;
use tokio::sync::Mutex;

use super::audit::PAGE;
use super::history::cause;
use super::{App, AppError, Result};
use crate::audit::{Break, Head, Walk};

/// How often the whole log is checked.
const ANEW_MS: u64 = 24 * 60 * 60 * 1000;
/// The place named when a head that the coordinator saw is missing.
const PLACE: &str = "the coordinator, since its start,";

/// How far the log was checked, and the result.
#[derive(Default)]
pub(super) struct Watch {
    watched: Mutex<Watched>,
    /// The last result, readable while a check runs.
    finding: std::sync::Mutex<Option<String>>,
}

#[derive(Default)]
struct Watched {
    /// Start of the last check of the whole log, Unix milliseconds; 0: one is due.
    since_ms: u64,
    walk: Walk,
    /// The last entry that was seen. Every later check must find it.
    seen: Head,
    /// A fault stays reported until the coordinator restarts.
    broken: Option<String>,
}

impl App {
    /// Checks entries that are new since the last call; the whole log at the first call and once a day. Returns what
    /// is wrong. Opens its own transaction, so never call it within one.
    pub(super) async fn watch_audit(&self) -> Result<Option<String>> {
        let mut watched = self.watch.watched.lock().await;
        if self.is_due(&watched) {
            watched.walk = Walk::looking_for(vec![(PLACE.to_owned(), watched.seen)]);
            watched.since_ms = self.now_ms();
        }
        self.look_on(&mut watched).await
    }

    /// The known fault of the audit log, for the status. Does not wait for a running check, and never checks the
    /// whole log.
    pub(super) async fn audit_finding(&self) -> Option<String> {
        if let Ok(mut watched) = self.watch.watched.try_lock()
            && !self.is_due(&watched)
        {
            // The result is stored in `finding`.
            let _ = self.look_on(&mut watched).await;
        }
        self.finding().clone()
    }

    fn is_due(&self, watched: &Watched) -> bool {
        watched.since_ms == 0 || self.now_ms().abs_diff(watched.since_ms) >= ANEW_MS
    }

    async fn look_on(&self, watched: &mut Watched) -> Result<Option<String>> {
        if watched.broken.is_none() {
            let walked = self.walk_on(&mut watched.walk).await;
            if watched.walk.head().seq > watched.seen.seq {
                watched.seen = watched.walk.head();
            }
            let broken = match walked {
                Ok(found) => found.map(|found| found.to_string()),
                Err(AppError::Store(error @ StoreError::Row { .. })) => Some(error.to_string()),
                Err(error) => {
                    watched.since_ms = 0;
                    *self.finding() = Some(format!("the audit log cannot be read: {}", cause(&error)));
                    return Err(error);
                }
            };
            watched.broken = broken.map(|why| format!("the audit log is not what was written: {why}"));
        }
        self.finding().clone_from(&watched.broken);
        Ok(watched.broken.clone())
    }

    fn finding(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        let finding = self.watch.finding.lock();
        finding.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn walk_on(&self, walk: &mut Walk) -> Result<Option<Break>> {
        let mut tx = self.store.read().await?;
        let (last, hash) = tx.audit_head().await?;
        let seen = walk.head();
        let place = PLACE.to_owned();
        if last < seen.seq {
            let seq = seen.seq;
            return Ok(Some(Break::Cut { place, seq, last }));
        }
        if last == seen.seq && hash != seen.hash {
            return Ok(Some(Break::Rewritten { place, seq: seen.seq }));
        }
        loop {
            let page = tx.audit(walk.head().seq, PAGE).await?;
            if page.is_empty() {
                return Ok(walk.clone().end().err());
            }
            for entry in page {
                if let Err(found) = walk.step(&entry) {
                    return Ok(Some(found));
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use heeler_proto::OperatorName;
    use heeler_store::Store;

    use super::super::Reach;
    use super::*;
    use crate::clock::Clock;
    use crate::init::{InitOptions, init};
    use crate::state::StateFolder;

    pub(in super::super) struct Hand(pub(in super::super) AtomicU64);
    impl Clock for Hand {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    pub(in super::super) async fn app(folder: &Path, clock: &Arc<Hand>) -> App {
        let state = StateFolder::new(folder.join("state"));
        let options = InitOptions {
            state: state.clone(),
            config: folder.join("config"),
            cluster: "k8sctl".into(),
            operator: OperatorName::new("me").unwrap(),
        };
        init(&options, clock.as_ref()).await.unwrap();
        std::fs::copy(state.database(), folder.join("old.db")).unwrap();
        let store = Store::open(&state.database()).await.unwrap();
        App::new(store, clock.clone(), state, Reach::default()).await.unwrap()
    }

    async fn write(app: &App, action: &str) {
        let mut tx = app.store.write().await.unwrap();
        app.audit(&mut tx, "me", action, "", "").await.unwrap();
        tx.save().await.unwrap();
    }

    #[tokio::test]
    async fn a_truncated_audit_log_stays_broken() {
        // Whether the daily check finds it, and the part of the message that says so.
        for (anew, next_day, part) in [
            (0, false, "removed from its end"),
            (0, true, "removed from its end"),
            (2, false, "another entry 3"),
            (3, true, "another entry 3"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(Hand(AtomicU64::new(1_800_000_000_000)));
            let mut app = app(folder.path(), &clock).await;
            write(&app, "apply").await;
            write(&app, "apply").await;
            assert_eq!(app.watch_audit().await.unwrap(), None);
            assert_eq!(app.audit_finding().await, None);
            app.store = Store::open(&folder.path().join("old.db")).await.unwrap();
            for _ in 0..anew {
                write(&app, "revision").await;
            }
            if next_day {
                clock.0.fetch_add(25 * 60 * 60 * 1000, Ordering::SeqCst);
            }
            let found = app.watch_audit().await.unwrap().unwrap();
            assert!(found.contains(part), "{found}");
            clock.0.fetch_add(25 * 60 * 60 * 1000, Ordering::SeqCst);
            assert_eq!(app.watch_audit().await.unwrap().as_deref(), Some(found.as_str()));
            assert_eq!(app.audit_finding().await, Some(found));
        }
    }

    #[tokio::test]
    async fn an_unreadable_audit_log_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand(AtomicU64::new(1_800_000_000_000)));
        let app = app(folder.path(), &clock).await;
        assert_eq!(app.watch_audit().await.unwrap(), None);
        let walking = app.watch.watched.lock().await;
        assert_eq!(app.audit_finding().await, None);
        drop(walking);
        app.store.close().await;
        let finding = app.audit_finding().await.unwrap();
        assert!(finding.contains("cannot be read"), "{finding}");
        app.watch_audit().await.unwrap_err();
    }
}
