use std::sync::Arc;

use heeler_proto::NodeName;
use heeler_proto::v1::{self, AlarmKind, EventKind, to_agent::Body};
use heeler_store::{Digest, Node, NodeState, Tx};
use tracing::{info, warn};

use super::enrol::see_board;
use super::{App, AppError};
use crate::pki::Peer;
use crate::screen::span;
use crate::sessions::{Outbox, Session};

/// A larger difference of a node's clock is an alarm.
const CLOCK_MS: u64 = 60 * 60 * 1000;

impl App {
    /// Opens a session for an agent's hello. Messages to the agent go to `out`, the welcome first. Fails when the node
    /// is not admitted, reports impossible counts, or has another open session.
    pub async fn open_session(&self, peer: &Peer, hello: v1::Hello, out: Outbox) -> Result<Arc<Session>, AppError> {
        // Steps are boxed: while a whole fleet waits for its turn, a session has no room for them.
        let session = Box::pin(self.reserved(peer, &hello, out)).await?;
        let _turn = super::turn(&self.welcomes).await;
        match Box::pin(self.welcome(&session, hello)).await {
            Ok(()) => Ok(session),
            Err(error) => {
                self.sessions.remove(&session);
                Err(error)
            }
        }
    }

    /// A new session as the node's only one; nobody sees it before the welcome.
    async fn reserved(&self, peer: &Peer, hello: &v1::Hello, out: Outbox) -> Result<Arc<Session>, AppError> {
        if hello.node != peer.node.as_str() {
            let text = format!(
                "the certificate is for {}, but the agent says that its name is {:?}",
                peer.node, hello.node
            );
            return Err(AppError::Denied(text));
        }
        // The database knows why a key is not admitted. That an admitted one still is, is checked with the welcome.
        if !self.node_keys.admits(peer) {
            admitted(&mut self.store.read().await?, &peer.node, &peer.key_sha256).await?;
        }
        if let Some(text) = self.impossible(hello) {
            let tx = self.store.write().await?;
            self.save_with_event(
                tx,
                self.alarm((AlarmKind::CountersImpossible, ""), peer.node.as_str(), text.as_str()),
            )
            .await?;
            return Err(AppError::Refused(text));
        }
        let identity = (peer.node.clone(), peer.key_sha256);
        let session = Arc::new(Session::new(
            self.session_id(),
            identity,
            hello.hardware_serial.clone(),
            out,
        ));
        self.take_in(&session).await?;
        Ok(session)
    }

    /// Each node has one session. A second one replaces it only if the first is dead and on the same board.
    async fn take_in(&self, session: &Arc<Session>) -> Result<(), AppError> {
        while let Err(other) = self.sessions.open(session) {
            let same_board = other.hardware_serial == session.hardware_serial;
            if !same_board || other.is_alive().await {
                let text = if same_board {
                    "a second agent with its key and the same board tried to connect while the first one is \
                     connected: refused"
                } else {
                    "another board with the same key tried to connect: refused. If its SD card was copied: heeler \
                     node revoke revokes both"
                };
                warn!(node = %session.node, text);
                let tx = self.store.write().await?;
                let about = (AlarmKind::KeyCopied, session.hardware_serial.as_str());
                self.save_with_event(tx, self.alarm(about, session.node.as_str(), text))
                    .await?;
                return Err(AppError::Refused("this node has another open session".to_owned()));
            }
            if self.sessions.remove(&other) {
                other.close("a newer session of this node took over");
            }
        }
        Ok(())
    }

    async fn welcome(&self, session: &Session, hello: v1::Hello) -> Result<(), AppError> {
        let now_ms = self.now_ms();
        let mut tx = self.store.write().await?;
        // Checked again: the node may have been revoked while the older session was tested.
        let before = admitted(&mut tx, &session.node, &session.key_sha256).await?;
        let mut node = before.clone();
        let name = session.node.as_str();
        if let Some(text) = see_board(&mut node, &hello.hardware_serial) {
            tx.add_event(&self.alarm((AlarmKind::BoardChanged, &hello.hardware_serial), name, text))
                .await?;
        }
        self.compare(&mut tx, &mut node, &hello).await?;
        if hello.clock_ms > 0 && hello.clock_ms.abs_diff(now_ms) > CLOCK_MS {
            let way = if hello.clock_ms > now_ms { "ahead" } else { "behind" };
            let text = format!("its clock is {} {way}", span(hello.clock_ms.abs_diff(now_ms)));
            tx.add_event(&self.alarm((AlarmKind::ClockWrong, ""), name, text))
                .await?;
        }
        let has_work = tx.has_open_work(name).await?;
        if has_work {
            self.end_forgotten(&mut tx, &node, &hello).await?;
        }
        let unknown = self.arm(&mut tx, (name, has_work), &hello).await?;
        let knows = match hello.trust {
            Some(said) => Some(self.keep_trust(&mut tx, session, said).await?),
            // An older agent does not report whom it trusts.
            None => None,
        };
        if hello.last_event < node.acknowledged {
            let text = format!(
                "its journal starts again: event {} is stored here, it knows events up to {}",
                node.acknowledged, hello.last_event
            );
            tx.add_event(&self.alarm((AlarmKind::JournalRestarted, ""), name, text))
                .await?;
            node.acknowledged = 0;
        }
        node.agent_version = hello.agent_version;
        // The facts, which are asked for below, bring the time.
        if node != before {
            node.last_seen_ms = now_ms;
            tx.set_node(&node).await?;
        }
        let text = format!("connected, agent {}", node.agent_version);
        let (epoch, acknowledged) = (self.epoch(), node.acknowledged);
        session.welcome(v1::Welcome {
            now_ms,
            epoch,
            acknowledged,
        });
        self.save_with_event(tx, self.event(EventKind::Connected, name, text))
            .await?;
        if let Some(knows) = knows {
            self.tell_trust(session, &knows, node.certificate_expires_ms);
        }
        if let Some(unknown) = unknown {
            session.send(Body::NetworkConfirmation(unknown));
        }
        session.ask_facts(now_ms);
        self.wake.notify_one();
        info!(node = name, "connected");
        Ok(())
    }

    /// Ends every session, because the coordinator stops. Fails when the database cannot be written; the sessions end
    /// in any case.
    pub async fn part(&self) -> Result<(), AppError> {
        let mut written = Ok(());
        for session in self.sessions.all() {
            written = written.and(self.close_session(&session).await);
            session.close("the coordinator is going down");
        }
        written
    }

    /// Handles the end of a session, whichever side ended it. Fails when the database cannot be written.
    pub async fn close_session(&self, session: &Session) -> Result<(), AppError> {
        let _turn = super::turn(&self.messages).await;
        // Nobody sees a node without a session before it is on record when it was heard last: a network change would
        // do without it.
        let tx = self.store.write().await;
        if !self.sessions.remove(session) {
            return Ok(());
        }
        info!(node = %session.node, "lost");
        let mut tx = tx?;
        if let Some(mut node) = tx.node(session.node.as_str()).await? {
            node.last_seen_ms = self.now_ms();
            tx.set_node(&node).await?;
        }
        self.save_with_event(
            tx,
            self.event(EventKind::Lost, session.node.as_str(), "connection lost"),
        )
        .await?;
        Ok(())
    }
}

pub(super) async fn admitted(tx: &mut Tx, name: &NodeName, key: &Digest) -> Result<Node, AppError> {
    let denied = |why: &str| AppError::Denied(format!("{name} {why}"));
    let node = tx
        .node(name.as_str())
        .await?
        .ok_or_else(|| denied("is not known here"))?;
    match node.state {
        NodeState::Enrolled if node.key_sha256 == Some(*key) => Ok(node),
        NodeState::Enrolled => Err(denied("has another key on record")),
        NodeState::Revoked => Err(denied("is revoked")),
        NodeState::Released => Err(denied("is released")),
        NodeState::New => Err(denied("was never enrolled")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::super::watch::tests::{Hand, app};
    use super::*;

    #[tokio::test]
    async fn a_lost_node_is_on_record_before_its_session_ends() {
        const NOW: u64 = 1_800_000_000_000;
        let folder = tempfile::tempdir().unwrap();
        let app = Arc::new(app(folder.path(), &Arc::new(Hand(AtomicU64::new(NOW)))).await);
        let mut tx = app.store.write().await.unwrap();
        tx.add_node("a", "00000001").await.unwrap();
        tx.save().await.unwrap();
        let name = NodeName::new("a").unwrap();
        let (out, _messages) = futures_channel::mpsc::channel(1);
        let session = Arc::new(Session::new(1, (name.clone(), [0; 32]), String::new(), out));
        app.sessions.open(&session).unwrap();
        session.welcome(v1::Welcome::default());

        let writing = app.store.write().await.unwrap();
        let ends = tokio::spawn({
            let app = app.clone();
            async move { app.close_session(&session).await }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(app.sessions.of(&name).is_some());
        drop(writing);
        ends.await.unwrap().unwrap();
        assert!(app.sessions.of(&name).is_none());
        let node = app.store.read().await.unwrap().node("a").await.unwrap();
        assert_eq!(node.unwrap().last_seen_ms, NOW);
    }
}
