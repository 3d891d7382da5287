use std::time::Duration;

use heeler_proto::{Task, TaskId, v1};
use heeler_store::{Node, NodeState, Plan, PlanTask};
use prost::Message as _;
use tokio::task::JoinSet;

use super::{App, Result, drift, hex, ledger, pause, random_bits, revision, share, spec, subnet};
use crate::config::WantedNode;
use crate::known::{short, unknown};
use crate::pki::sha256;

/// How long a plan waits for an agent; one that answers later is shown with an error.
const PREVIEW: Duration = Duration::from_secs(330);
/// Plans are kept for twice the hour in which they can be applied.
const KEPT_MS: u64 = 2 * 60 * 60 * 1000;

pub(super) struct Look {
    pub(super) node: Option<Node>,
    pub(super) name: heeler_proto::NodeName,
    pub(super) line: u32,
    pub(super) pause: Option<v1::Pause>,
    /// In the order in which they run; empty when nothing is wanted of the node.
    pub(super) tasks: Vec<Task>,
    /// Whether the accepted revision wants something else of the node, or there is no accepted revision.
    pub(super) config_changed: bool,
    pub(super) unmanaged: Option<v1::Unmanaged>,
}

impl App {
    /// Previews a candidate on every connected node that it names, all at once. Changes nothing on nodes and queues
    /// nothing. Fails when the candidate has mistakes, or `nodes` names a node that it lacks.
    pub async fn plan(&self, request: v1::PlanRequest) -> Result<v1::PlanReply> {
        let wanted = self.read_candidate(&request.text)?;
        let chosen = choose(&wanted, &request.nodes)?;
        let mut tx = self.store.read().await?;
        let accepted = revision::wanted(tx.accepted().await?.as_ref());
        let mut looks = Vec::new();
        for one in chosen {
            let node = tx.node(one.name.as_str()).await?;
            let mut tasks = match &node {
                Some(node) => spec::tasks(&mut tx, &self.cluster, node, one).await?,
                None => Vec::new(),
            };
            skip_reading(&mut tasks, &request.skip_reading);
            let before = accepted.iter().find(|known| known.name == one.name);
            let unmanaged = match &node {
                Some(node) if node.state == NodeState::Enrolled => spec::unmanaged(&mut tx, node, one, before).await?,
                _ => None,
            };
            looks.push(Look {
                unmanaged,
                pause: pause::of(&mut tx, one.name.as_str(), self.now_ms()).await?,
                node,
                name: one.name.clone(),
                line: one.line,
                tasks,
                config_changed: !before.is_some_and(|known| known.asks_the_same(one)),
            });
        }
        if request.nodes.is_empty() {
            let all = tx.nodes().await?.into_iter();
            let left_out = all.filter(|node| {
                node.state == NodeState::Enrolled && !wanted.iter().any(|one| one.name.as_str() == node.name)
            });
            for node in left_out {
                looks.push(Look {
                    pause: None,
                    name: heeler_proto::NodeName::new(&node.name)?,
                    node: Some(node),
                    line: 0,
                    tasks: Vec::new(),
                    config_changed: true,
                    unmanaged: None,
                });
            }
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

    pub(super) async fn look_and_keep(&self, plan: Plan, looks: Vec<Look>) -> Result<v1::PlanReply> {
        let (nodes, kept) = self.look(looks).await?;
        let mut tx = self.store.write().await?;
        let accepted = tx.accepted().await?;
        let sha256 = plan.text.as_ref().map(|text| sha256(text.as_bytes()));
        let behind = accepted
            .as_ref()
            .is_some_and(|accepted| sha256.is_some_and(|sha| sha != accepted.sha256) && plan.parent < accepted.number);
        let same = accepted.as_ref().filter(|accepted| sha256 == Some(accepted.sha256));
        if let Some(accepted) = same {
            for plan in nodes.iter().filter(|plan| answered(plan) && !plan.steps.is_empty()) {
                drift::keep(&mut tx, &plan.node, accepted.number, &plan.steps, self.now_ms()).await?;
            }
        }
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

    async fn look(&self, looks: Vec<Look>) -> Result<(Vec<v1::NodePlan>, Vec<PlanTask>)> {
        let share = share::share(looks.len());
        let mut running = JoinSet::new();
        let mut plans = Vec::new();
        for (index, look) in looks.iter().enumerate() {
            let enrolled = look.node.as_ref().is_some_and(|node| node.state == NodeState::Enrolled);
            let mut plan = v1::NodePlan {
                node: look.name.to_string(),
                line: look.line,
                enrolled,
                revoked: look.node.as_ref().is_some_and(|node| node.state == NodeState::Revoked),
                released: look.node.as_ref().is_some_and(|node| node.state == NodeState::Released),
                pause: look.pause.clone(),
                config_changed: look.config_changed,
                unmanaged: look.unmanaged.clone(),
                left_out: enrolled && look.line == 0 && look.tasks.is_empty(),
                ..v1::NodePlan::default()
            };
            match (self.sessions.of(&look.name), look.tasks.as_slice()) {
                (Some(session), [_, ..]) => {
                    let tasks = look.tasks.iter().cloned().map(Into::into);
                    let tasks = tasks.collect();
                    running.spawn(async move { (index, session.ask(v1::PreviewRequest { tasks }, PREVIEW).await) });
                }
                (None, _) if enrolled => {
                    // 0 means connected, so a node that was never seen gets 1.
                    plan.offline_since_ms = look.node.as_ref().map_or(0, |n| n.last_seen_ms).max(1);
                }
                _ => {}
            }
            plans.push(plan);
        }
        while let Some(joined) = running.join_next().await {
            let Ok((index, answer)) = joined else { continue };
            match answer {
                Ok(preview) if preview.encoded_len() > share => {
                    plans[index].error = format!(
                        "its plan is too long to show together with other nodes. Show it alone: heeler plan {}",
                        plans[index].node
                    );
                }
                Ok(preview) => {
                    let plan = &mut plans[index];
                    (plan.steps, plan.facts) = (preview.steps, preview.facts);
                    if let Some(step) = waits_for_nothing(&plan.steps) {
                        plan.error = format!(
                            "{} waits for {}, which no step of this plan provides: this is a fault of Heeler",
                            step.step, step.after
                        );
                    }
                    let paused = plan.facts.as_ref().and_then(|facts| facts.paused.clone());
                    // The reply knows better than the stored facts whether somebody paused the node on the node itself.
                    plan.pause = plan.pause.take().filter(|pause| !pause.on_node);
                    if plan.pause.is_none() {
                        plan.pause = pause::in_force(paused, self.now_ms());
                    }
                }
                Err(why) => plans[index].error = why.to_string(),
            }
        }
        let peers = self.peers(&plans).await?;
        for (look, plan) in looks.iter().zip(&mut plans) {
            peers.refuse(look, plan);
        }
        let mut kept = Vec::new();
        for (look, plan) in looks.into_iter().zip(&mut plans) {
            if answered(plan) {
                kept.extend(keep(plan, look.tasks)?);
            }
        }
        Ok((plans, kept))
    }
}

impl App {
    /// Facts of the connected nodes: from this plan's look, else as stored.
    async fn peers(&self, plans: &[v1::NodePlan]) -> Result<subnet::Peers> {
        let mut peers = Vec::new();
        for node in self.store.read().await?.nodes().await? {
            let name = super::node_name(&node.name)?;
            if node.state != NodeState::Enrolled || self.sessions.of(&name).is_none() {
                continue;
            }
            let seen = plans.iter().find(|plan| plan.node == node.name);
            let facts = match seen.and_then(|plan| plan.facts.clone()) {
                Some(facts) => Some(facts),
                None => ledger::facts_of(&node)?,
            };
            peers.extend(facts.map(|facts| (name, facts)));
        }
        Ok(subnet::Peers(peers))
    }
}

/// Marks the disks in `serials`, which a person named, to be used for a pool without reading every byte first.
fn skip_reading(tasks: &mut [Task], serials: &[String]) {
    for task in tasks {
        if let Task::EnsurePool(ensure) = task {
            let named = ensure
                .pool
                .serials
                .iter()
                .filter(|serial| serials.iter().any(|one| one == serial.as_str()));
            ensure.unread = named.cloned().collect();
        }
    }
}

fn answered(plan: &v1::NodePlan) -> bool {
    plan.error.is_empty() && plan.offline_since_ms == 0
}

/// Gives an id to each task that apply would start, and returns all tasks with their steps.
fn keep(plan: &mut v1::NodePlan, tasks: Vec<Task>) -> Result<Vec<PlanTask>> {
    let starts = starts(&plan.steps, tasks.len());
    let paused = plan.pause.is_some();
    let mut kept = Vec::new();
    for ((position, task), start) in (0..).zip(tasks).zip(starts) {
        let task_id = match start && !paused {
            true => TaskId::from_random(random_bits()?).into(),
            false => String::new(),
        };
        let shown = v1::NodePlan {
            node: plan.node.clone(),
            steps: plan
                .steps
                .iter()
                .filter(|step| step.task == position)
                .cloned()
                .collect(),
            ..v1::NodePlan::default()
        };
        let kind = task.kind().to_owned();
        plan.tasks.push(v1::TaskPlan {
            task_id: task_id.clone(),
            kind,
        });
        kept.push(PlanTask {
            node: plan.node.clone(),
            position,
            task_id,
            task: v1::Task::from(task).encode_to_vec(),
            shown: shown.encode_to_vec(),
        });
    }
    Ok(kept)
}

/// Which of `tasks` would change something. A step that depends on an earlier task counts when that task starts. None
/// starts when any step is blocked.
fn starts(steps: &[v1::StepReport], tasks: usize) -> Vec<bool> {
    let blocked = steps.iter().any(|step| step.outcome() == v1::StepOutcome::Blocked);
    let mut earlier = false;
    (0..)
        .take(tasks)
        .map(|task: u32| {
            let mut own = steps.iter().filter(|step| step.task == task);
            let starts = own.any(|step| match step.outcome() {
                v1::StepOutcome::Change => true,
                v1::StepOutcome::After => earlier,
                _ => false,
            });
            earlier |= starts;
            starts && !blocked
        })
        .collect()
}

/// A step that waits for another one although no step changes anything: a fault of Heeler, because it would wait for
/// ever.
fn waits_for_nothing(steps: &[v1::StepReport]) -> Option<&v1::StepReport> {
    use v1::StepOutcome::{After, Blocked, Change, Retry};
    let moves = |step: &v1::StepReport| matches!(step.outcome(), Blocked | Change | Retry);
    let waits = steps.iter().find(|step| step.outcome() == After);
    waits.filter(|_| !steps.iter().any(moves))
}

fn choose<'a>(wanted: &'a [WantedNode], names: &[String]) -> Result<Vec<&'a WantedNode>> {
    if names.is_empty() {
        return Ok(wanted.iter().collect());
    }
    let find = |name: &String| {
        let found = wanted.iter().find(|node| node.name.as_str() == name);
        found.ok_or_else(|| {
            let all = wanted.iter().map(|node| node.name.as_str());
            let what = format!("heeler.toml has no node {}", short(name));
            unknown(what, name, all, "heeler.toml").into()
        })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use v1::StepOutcome::{After, Blocked, Change, Retry, Satisfied};

    use super::*;

    fn steps(outcomes: &[(u32, v1::StepOutcome)]) -> Vec<v1::StepReport> {
        let step = |(task, outcome): &(u32, v1::StepOutcome)| v1::StepReport {
            task: *task,
            outcome: (*outcome).into(),
            ..v1::StepReport::default()
        };
        outcomes.iter().map(step).collect()
    }

    #[test]
    fn only_changing_tasks_start() {
        for (outcomes, expected) in [
            (&[(0, Satisfied), (1, Satisfied)][..], [false, false]),
            (&[(0, Satisfied), (1, Change)], [false, true]),
            (&[(0, Change), (1, After)], [true, true]),
            (&[(0, Satisfied), (1, After)], [false, false]),
            (&[(0, After), (1, Change)], [false, true]),
            (&[(0, Change), (1, Blocked)], [false, false]),
        ] {
            assert_eq!(starts(&steps(outcomes), 2), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn a_step_that_waits_for_nothing_is_an_error() {
        for (outcomes, expected) in [
            (&[(0, Satisfied), (1, After)][..], true),
            (&[(0, Satisfied), (1, Satisfied)], false),
            (&[(0, Change), (1, After)], false),
            (&[(0, Blocked), (1, After)], false),
            (&[(0, Retry), (1, After)], false),
        ] {
            assert_eq!(waits_for_nothing(&steps(outcomes)).is_some(), expected, "{outcomes:?}");
        }
    }
}
