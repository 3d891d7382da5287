use heeler_proto::v1::{self, RenewReply, from_agent::Body, to_agent};

use super::ledger::Part;
use super::{App, AppError};
use crate::sessions::Session;

impl App {
    /// Handles a message of an open session.
    ///
    /// # Errors
    /// When its content could not be stored. The caller must end the session, so that the agent sends it again.
    pub async fn receive(&self, session: &Session, body: Body) -> Result<(), AppError> {
        match body {
            Body::PoolsChanged(v1::PoolsChanged {}) => {
                session.ask_pools();
                Ok(())
            }
            Body::Facts(reply) if session.asked_pools(&reply.request_id) => {
                if let Some(facts) = reply.facts {
                    let part = if reply.pools_only { Part::Pools } else { Part::All };
                    self.looked(session, facts, part).await?;
                }
                session.end_pools_question();
                Ok(())
            }
            // An answer that was not asked for is ignored before it costs anything.
            Body::Facts(reply) if !session.takes_facts(&reply.request_id) => Ok(()),
            Body::Preview(reply) if !session.takes_preview(&reply.request_id) => Ok(()),
            Body::Assignment(reply) if !session.was_handed(&reply.task_id) => Ok(()),
            Body::Trust(_) if !session.takes_trust() => Ok(()),
            Body::Facts(reply) => {
                if let Some(facts) = &reply.facts {
                    self.looked(session, facts.clone(), Part::All).await?;
                }
                session.looked(reply);
                Ok(())
            }
            Body::Preview(reply) => {
                if let Some(facts) = &reply.facts {
                    self.looked(session, facts.clone(), Part::All).await?;
                }
                if !self.compared(session, &reply).await? {
                    session.previewed(reply);
                }
                Ok(())
            }
            Body::Snapshots(answer) => {
                session.pass_snapshot_answer(answer);
                Ok(())
            }
            Body::Event(event) => self.record(session, event).await,
            Body::Assignment(reply) => self.answered(session, reply).await,
            Body::Copy(reply) => {
                session.copied(reply);
                Ok(())
            }
            Body::Reach(reply) => {
                self.reached(session, reply);
                Ok(())
            }
            Body::Pong(pong) => {
                session.ponged(pong.nonce);
                Ok(())
            }
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
            Body::Release(reply) => {
                session.releases(reply);
                Ok(())
            }
            Body::Trust(reply) => self.trust_reply(session, reply).await,
            Body::Hello(_) => Err(AppError::Invalid("hello came twice".to_owned())),
        }
    }
}
