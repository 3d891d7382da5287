use std::time::Duration;

use heeler_proto::{Task, TaskId, v1};
use heeler_store::{Node, NodeState, Plan, PlanNode};
use prost::Message as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{App, AppError, hex, pause, random_bits, spec};
use crate::config::WantedNode;
use crate::pki::sha256;

/// An agent that has not answered by then could not be looked at.
const PREVIEW: Duration = Duration::from_secs(60);
/// Plans are kept for as long as their tasks' consents could hold, twice over.
const KEPT_MS: u64 = 2 * 60 * 60 * 1000;

/// What to look at on one node.
pub(super) struct Look {
    pub(super) node: Option<Node>,
    pub(super) name: heeler_proto::NodeName,
    pub(super) line: u32,
    pub(super) pause: Option<v1::Pause>,
    /// None: nothing is wanted of it.
    pub(super) task: Option<Task>,
}

impl App {
    /// Looks at a candidate on every wanted node that is connected, all at once. Changes nothing and queues nothing.
    ///
    /// # Errors
    /// When the candidate has mistakes, or names no such node.
    pub async fn plan(&self, request: v1::PlanRequest) -> Result<v1::PlanReply, AppError> {
        let wanted = self.read_candidate(&request.text)?;
        let chosen = choose(&wanted, &request.nodes)?;
        let mut tx = self.store.read().await?;
        let mut looks = Vec::new();
        for one in chosen {
            let node = tx.node(one.name.as_str()).await?;
            let task = match &node {
                Some(node) => spec::ensure_pool(&mut tx, &self.cluster, node, one).await?,
                None => None,
            };
            looks.push(Look {
                pause: pause::of(&mut tx, one.name.as_str(), self.now_ms()).await?,
                node,
                name: one.name.clone(),
                line: one.line,
                task,
            });
        }
        drop(tx);
        let plan = Plan {
            id: hex(&random_bits()?.to_be_bytes()),
            text: Some(request.text),
            git_commit: request.git_commit,
            dirty_lines: request.dirty_lines,
            parent: request.parent,
            created_at_ms: self.now_ms(),
            reply: None,
        };
        self.look_and_keep(plan, looks).await
    }

    pub(super) async fn look_and_keep(&self, plan: Plan, looks: Vec<Look>) -> Result<v1::PlanReply, AppError> {
        let (nodes, kept) = self.look(looks).await?;
        let mut tx = self.store.write().await?;
        let accepted = tx.accepted().await?;
        let sha256 = plan.text.as_ref().map(|text| sha256(text.as_bytes()));
        let behind = accepted
            .as_ref()
            .is_some_and(|accepted| sha256.is_some_and(|sha| sha != accepted.sha256) && plan.parent < accepted.number);
        tx.drop_plans(self.now_ms().saturating_sub(KEPT_MS)).await?;
        tx.add_plan(&plan, &kept).await?;
        tx.save().await?;
        Ok(v1::PlanReply {
            plan_id: plan.id,
            nodes,
            accepted_revision: accepted.map_or(0, |accepted| accepted.number),
            behind,
            now_ms: self.now_ms(),
        })
    }

    async fn look(&self, looks: Vec<Look>) -> Result<(Vec<v1::NodePlan>, Vec<PlanNode>), AppError> {
        let mut running = JoinSet::new();
        let mut plans = Vec::new();
        for (index, look) in looks.iter().enumerate() {
            let enrolled = look.node.as_ref().is_some_and(|node| node.state == NodeState::Enrolled);
            let mut plan = v1::NodePlan {
                node: look.name.to_string(),
                line: look.line,
                enrolled,
                revoked: look.node.as_ref().is_some_and(|node| node.state == NodeState::Revoked),
                pause: look.pause.clone(),
                ..v1::NodePlan::default()
            };
            match (self.sessions.of(&look.name), &look.task) {
                (Some(session), Some(task)) => {
                    let answer = session.ask_preview(hex(&random_bits()?.to_be_bytes()), task.clone().into());
                    running.spawn(async move { (index, timeout(PREVIEW, answer).await) });
                }
                (None, _) if enrolled => {
                    plan.offline_since_ms = look.node.as_ref().map_or(0, |n| n.last_seen_ms).max(1);
                }
                _ => {}
            }
            plans.push(plan);
        }
        while let Some(joined) = running.join_next().await {
            let Ok((index, answer)) = joined else { continue };
            match answer {
                Ok(Ok(reply)) => {
                    let plan = &mut plans[index];
                    (plan.steps, plan.error, plan.facts) = (reply.steps, reply.error, reply.facts);
                }
                Ok(Err(_)) => plans[index].error = "its connection was lost while it looked".to_owned(),
                Err(_) => plans[index].error = "it did not answer within 60 s".to_owned(),
            }
        }
        let mut kept = Vec::new();
        for (look, plan) in looks.into_iter().zip(&mut plans) {
            let Some(task) = look.task.filter(|_| answered(plan)) else {
                continue;
            };
            if would_change(plan) && plan.pause.is_none() {
                plan.task_id = TaskId::from_random(random_bits()?).into();
            }
            kept.push(PlanNode {
                node: plan.node.clone(),
                task_id: plan.task_id.clone(),
                task: v1::Task::from(task).encode_to_vec(),
                shown: plan.encode_to_vec(),
            });
        }
        Ok((plans, kept))
    }
}

fn answered(plan: &v1::NodePlan) -> bool {
    plan.error.is_empty() && plan.offline_since_ms == 0
}

/// Something would change and nothing stands in the way.
fn would_change(plan: &v1::NodePlan) -> bool {
    let has = |outcome: v1::StepOutcome| plan.steps.iter().any(|step| step.outcome() == outcome);
    has(v1::StepOutcome::Change) && !has(v1::StepOutcome::Blocked)
}

fn choose<'a>(wanted: &'a [WantedNode], names: &[String]) -> Result<Vec<&'a WantedNode>, AppError> {
    if names.is_empty() {
        return Ok(wanted.iter().collect());
    }
    let find = |name: &String| {
        let found = wanted.iter().find(|node| node.name.as_str() == name);
        found.ok_or_else(|| {
            let all: Vec<_> = wanted.iter().map(|node| node.name.as_str()).collect();
            AppError::NotFound(format!("heeler.toml has no node {name:?}. It has: {}", all.join(", ")))
        })
    };
    names.iter().map(find).collect()
}
