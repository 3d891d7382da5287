use heeler_proto::v1::{self, RenewReply, from_agent::Body, reply::Answer, to_agent};

use super::ledger::Part;
use super::{App, AppError, Result};
use crate::sessions::{Purpose, Session};

impl App {
    /// Handles a message of an open session. Fails when its content could not be stored. The caller must end the session, so that the agent sends it again.
    pub async fn receive(&self, session: &Session, body: Box<Body>) -> Result<()> {
        match &*body {
            // What was not asked for is ignored before it costs anything.
            Body::Assignment(reply) if !session.was_handed(&reply.task_id) => Ok(()),
            Body::Trust(_) if !session.takes_trust() => Ok(()),
            Body::PoolsChanged(v1::PoolsChanged {}) => {
                session.ask_pools();
                Ok(())
            }
            Body::Pong(pong) => {
                session.ponged(pong.nonce);
                Ok(())
            }
            Body::Hello(_) => Err(AppError::Invalid("hello came twice".to_owned())),
            _ => {
                let _turn = super::turn(&self.messages).await;
                Box::pin(self.store_or_renew(session, body)).await
            }
        }
    }

    /// Handles what needs the database.
    async fn store_or_renew(&self, session: &Session, body: Box<Body>) -> Result<()> {
        match *body {
            Body::Reply(reply) => self.replied(session, reply).await,
            Body::Event(event) => self.record(session, event).await,
            Body::Assignment(reply) => self.answered(session, reply).await,
            Body::Renew(request) => {
                let (certificate_chain, error) = match self.renew(session, &request.csr).await {
                    Ok(chain) => (chain, String::new()),
                    Err(error) => (String::new(), error.to_string()),
                };
                session.send(to_agent::Body::Renew(RenewReply {
                    certificate_chain,
                    error,
                }));
                Ok(())
            }
            Body::Trust(reply) => self.trust_reply(session, reply).await,
            Body::Hello(_) | Body::Pong(_) | Body::PoolsChanged(_) => Ok(()),
        }
    }

    /// Stores the facts that an answer holds, and passes it on to whoever asked.
    async fn replied(&self, session: &Session, reply: v1::Reply) -> Result<()> {
        let Some((purpose, answered)) = session.take(reply) else {
            return Ok(());
        };
        let (facts, part) = match (&answered, &purpose) {
            (Ok(Answer::Facts(facts)), Purpose::Pools { .. }) => (Some(facts), Part::Pools),
            (Ok(Answer::Facts(facts)), _) => (Some(facts), Part::All),
            (Ok(Answer::Preview(preview)), _) => (preview.facts.as_ref(), Part::All),
            _ => (None, Part::All),
        };
        if let Some(facts) = facts {
            self.looked(session, facts.clone(), part).await?;
        }
        match (purpose, answered) {
            (Purpose::Caller(caller), answered) => drop(caller.send(answered)),
            (Purpose::Pools { again: true }, _) => session.ask_pools(),
            (Purpose::Drift { revision }, Ok(Answer::Preview(preview))) => {
                self.compared(session, revision, &preview.steps).await?;
            }
            (
                Purpose::Reach {
                    operation,
                    guard_id,
                    asked_at_ms,
                },
                answered,
            ) => {
                self.reached(session, (operation, &guard_id, asked_at_ms), answered)
                    .await?;
            }
            _ => {}
        }
        Ok(())
    }
}
