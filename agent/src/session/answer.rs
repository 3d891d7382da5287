use std::sync::Arc;

use heeler_host::{System, facts};
use heeler_proto::v1::{Facts, FromAgent, PreviewReply, PreviewRequest, from_agent};
use heeler_proto::{Irreversible, Task};
use heeler_tasks::engine::in_full;

use super::message;
use crate::wire;

/// What the machine is made of and holds. When it cannot be looked at, nothing is said of it.
pub async fn facts(host: Arc<dyn System>, request_id: String) -> Option<FromAgent> {
    match look(host.as_ref()).await {
        Ok(facts) => Some(message(from_agent::Body::Facts(Facts { request_id, ..facts }))),
        Err(reason) => {
            tracing::warn!("could not look at the machine: {reason}");
            None
        }
    }
}

/// What a task would change here, and the facts that this rests on.
pub async fn preview(
    host: Arc<dyn System>,
    request: PreviewRequest,
    interrupted: Vec<Irreversible>,
) -> Option<FromAgent> {
    let mut reply = PreviewReply {
        request_id: request.request_id,
        ..PreviewReply::default()
    };
    let looked = async {
        let task = request.task.ok_or("the request names no task")?;
        let task = Task::try_from(task).map_err(|invalid| invalid.to_string())?;
        let facts = look(host.as_ref()).await?;
        Ok((facts, heeler_tasks::preview(host.as_ref(), &task, &interrupted).await))
    };
    let looked: Result<_, String> = looked.await;
    match looked {
        Ok((facts, steps)) => {
            reply.facts = Some(facts);
            reply.steps = steps.into_iter().map(wire::step_report).collect();
        }
        Err(reason) => reply.error = reason,
    }
    Some(message(from_agent::Body::Preview(reply)))
}

/// The answer to one preview too many.
pub fn too_many(request: PreviewRequest) -> FromAgent {
    message(from_agent::Body::Preview(PreviewReply {
        request_id: request.request_id,
        error: "this node is busy with other previews: ask again".to_owned(),
        ..PreviewReply::default()
    }))
}

async fn look(host: &dyn System) -> Result<Facts, String> {
    let facts = facts::collect(host).await.map_err(|error| in_full(&error))?;
    Ok(wire::facts(facts))
}
