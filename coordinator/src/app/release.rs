use std::time::Duration;

use heeler_proto::v1::{self, EventKind};
use heeler_store::NodeState;

use super::{App, AppError, Result, Who, node_name, nodes};
use crate::sessions::NoAnswer;

/// How long a node may take to answer a release.
const ANSWER: Duration = Duration::from_secs(60);

impl App {
    /// Asks the node what `release` would stop. With `go`, also removes the agent and revokes the node's key;
    /// everything else on the node keeps running. Fails when the node is not known or not connected, does not answer
    /// within 60 s, or refuses.
    pub async fn release(&self, request: v1::ReleaseNodeRequest, who: &Who) -> Result<v1::ReleaseNodeReply> {
        let name = request.node.as_str();
        let node = nodes::known(&mut self.store.read().await?, name).await?;
        let session = self.sessions.of(&node_name(&node.name)?);
        let session = session.ok_or_else(|| {
            AppError::Refused(format!(
                "{name} is not connected. On the node itself: sudo heeler-agent release; then here: heeler node remove {name}"
            ))
        })?;
        let answer = session.ask(v1::ReleaseRequest { go: request.go }, ANSWER).await;
        let answer = answer.map_err(|why| {
            let next = match why {
                NoAnswer::Refused(..) => String::new(),
                NoAnswer::Lost => format!(". See: heeler node show {name}"),
                NoAnswer::Late(_) => ". On the node: sudo heeler-agent release".to_owned(),
            };
            AppError::Refused(format!("{name} could not be asked what a release stops: {why}{next}"))
        })?;
        if request.go && !answer.refused.is_empty() {
            return Err(AppError::Refused(format!(
                "{name} cannot be released now: {}",
                answer.refused
            )));
        }
        if request.go {
            let mut tx = self.store.write().await?;
            let mut node = nodes::known(&mut tx, name).await?;
            node.state = NodeState::Released;
            tx.set_node(&node).await?;
            tx.forget_tokens(name).await?;
            tx.forget_drift(name).await?;
            self.audit(&mut tx, &who.name, "node released", name, "").await?;
            let text = "the agent is removed; everything else on the node keeps running";
            self.save_and_tell(tx, EventKind::Released, name, text).await?;
            session.close("released");
            if let Some(peer) = nodes::peer(&node)? {
                self.node_keys.shut_out(&peer);
            }
        }
        Ok(v1::ReleaseNodeReply {
            released: request.go,
            node: Some(answer),
        })
    }
}
