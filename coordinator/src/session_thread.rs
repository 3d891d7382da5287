use std::io;
use std::thread::{Builder, JoinHandle};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// A thread of its own for agents' sessions. A fleet that reconnects keeps the other threads busy with handshakes; here
/// the kernel lets a session go on as soon as the database has answered it.
pub struct SessionThread {
    sessions: Handle,
    /// Dropping it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SessionThread {
    /// Fails when the kernel starts no thread.
    pub fn start() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let sessions = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = Builder::new()
            .name("sessions".to_owned())
            .spawn(move || drop(runtime.block_on(stopped)))?;
        Ok(Self {
            sessions,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where a session is spawned.
    pub fn handle(&self) -> Handle {
        self.sessions.clone()
    }
}

impl Drop for SessionThread {
    /// Every session is dropped when this returns: none still holds the database.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on it was reported there.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn its_end_drops_every_session() {
        let thread = SessionThread::start().unwrap();
        let held = Arc::new(());
        let (session, (began, begun)) = (held.clone(), oneshot::channel());
        thread.handle().spawn(async move {
            began.send(()).unwrap();
            std::future::pending::<()>().await;
            drop(session);
        });
        begun.await.unwrap();
        drop(thread);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
