use std::collections::HashMap;

use heeler_proto::Task;
use heeler_proto::v1::{self, EventKind};
use heeler_store::{Event, NewTask, Plan, PlanTask, Revision, Tx};
use prost::Message as _;

use super::consents::Consents;
use super::{App, AppError, Result, Who, decoded, hex, node_name, spec, task_id};
use crate::pki::sha256;
use crate::planner::TASK_LIFETIME_MS;

impl App {
    /// Accepts a plan's candidate and queues its tasks, in one transaction. Called again with the same plan, it returns
    /// the same reply. Fails when the plan is older than an hour, a newer revision than the author's is accepted, a
    /// consent is missing or does not fit, or a node still has an open task. Then nothing is changed.
    pub async fn apply(&self, request: v1::ApplyRequest, who: &Who) -> Result<v1::ApplyReply> {
        let now_ms = self.now_ms();
        let mut tx = self.store.write().await?;
        let plan = tx.plan(&request.plan_id).await?;
        let plan = plan.ok_or_else(|| {
            AppError::NotFound(
                "this plan is no longer stored. Make a new one: heeler \
                plan"
                    .into(),
            )
        })?;
        if let Some(reply) = &plan.reply {
            return decoded("the answer to an apply", reply);
        }
        // `abs_diff`: a plan from the future, made before the clock went back, is too old as well.
        if now_ms.abs_diff(plan.created_at_ms) >= TASK_LIFETIME_MS {
            return Err(AppError::Refused(
                "this plan is more than an hour old. Look again: heeler plan".into(),
            ));
        }
        let after_event = tx.last_event().await?;
        let mut consents = Consents::new(request.consents, &tx.operators().await?, now_ms)?;
        let operator = &who.name;
        let revision = self.accept(&mut tx, &plan, operator, request.overwrite).await?;
        let parts = tx.plan_tasks(&plan.id).await?;
        check_names(&parts, &request.nodes)?;
        let busy = tx.open_tasks().await?;
        let mut task_ids = Vec::new();
        // By node: the task that makes its pool, which every later task of the node waits for. They do not wait for each
        // other: a network that does not come up must not stop the snapshots.
        let mut pool_task = HashMap::new();
        for part in parts
            .iter()
            .filter(|part| request.nodes.is_empty() || request.nodes.contains(&part.node))
        {
            refuse_busy(&busy, part)?;
            let task = Task::try_from(decoded::<v1::Task>("a plan's task", &part.task)?)?;
            let before = pool_task.get(part.node.as_str()).cloned();
            let started = self
                .start(&mut tx, (part, &task, before), &mut consents, (revision, operator))
                .await?;
            if let Some(id) = started {
                if matches!(task, Task::EnsurePool(_)) {
                    pool_task.insert(part.node.as_str(), id.clone());
                }
                task_ids.push(id);
            }
        }
        consents.finish()?;
        let asked = match &plan.text {
            Some(_) => format!("revision {revision}, {} tasks", task_ids.len()),
            None => format!("{} tasks", task_ids.len()),
        };
        let head = self.audit(&mut tx, &who.name, "apply", "", &asked).await?;
        let reply = v1::ApplyReply {
            revision,
            task_ids,
            after_event,
            audit: Some(v1::AuditHead {
                place: String::new(),
                seq: head.seq,
                hash: head.hash.to_vec(),
            }),
        };
        tx.use_plan(&plan.id, &reply.encode_to_vec()).await?;
        let last = tx.added_event();
        tx.save().await?;
        self.feed.stored(last);
        self.wake.notify_one();
        Ok(reply)
    }

    /// Accepts the candidate only if its author has seen the newest revision, or asks to overwrite it.
    async fn accept(&self, tx: &mut Tx, plan: &Plan, operator: &str, overwrite: bool) -> Result<u64> {
        let accepted = tx.accepted().await?;
        let current = accepted.as_ref().map_or(0, |accepted| accepted.number);
        let Some(text) = &plan.text else { return Ok(current) };
        let sha256 = sha256(text.as_bytes());
        if accepted.is_some_and(|accepted| accepted.sha256 == sha256) {
            return Ok(current);
        }
        if plan.parent < current && !overwrite {
            return Err(AppError::Behind {
                seen: plan.parent,
                accepted: current,
            });
        }
        // After the database was lost and restored, the checkout may have seen a higher number.
        let number = current.max(plan.parent) + 1;
        let revision = Revision {
            number,
            text: text.clone(),
            sha256,
            git_commit: plan.git_commit.clone(),
            dirty_lines: plan.dirty_lines,
            parent: plan.parent,
            accepted_at_ms: self.now_ms(),
            operator: operator.to_owned(),
        };
        tx.add_revision(&revision).await?;
        let text = format!("revision {number} accepted");
        let detail = format!("{text}, sha256 {}", hex(&sha256));
        self.audit(tx, operator, "revision", "", &detail).await?;
        tx.add_event(&self.event(EventKind::Revision, "", text)).await?;
        Ok(number)
    }

    async fn start(
        &self,
        tx: &mut Tx,
        (part, task, predecessor): (&PlanTask, &Task, Option<String>),
        consents: &mut Consents,
        (revision, operator): (u64, &str),
    ) -> Result<Option<String>> {
        let shown: v1::NodePlan = decoded("a plan", &part.shown)?;
        if part.task_id.is_empty() {
            // The look found that the node already matches this candidate.
            if let (Some(digest), true) = (spec::digest_of(task), holds(&shown)) {
                tx.set_applied(&part.node, task.kind(), Some(&digest)).await?;
            }
            return Ok(None);
        }
        let (node, id) = (node_name(&part.node)?, task_id(&part.task_id)?);
        let given = consents.take((&node, &id), &shown)?;
        let is_paused = tx.pause_of(&part.node, self.now_ms()).await?.is_some();
        let skipped = match self.sessions.of(&node) {
            None => Some("the connection was lost"),
            Some(_) => is_paused.then_some("the node was paused"),
        };
        if let Some(why) = skipped {
            let kind = task.kind();
            let text = format!("{kind}: {why} after the plan: nothing was started or queued");
            tx.add_event(&self.event(EventKind::Skipped, &part.node, text)).await?;
            return Ok(None);
        }
        let consented: Vec<_> = given.iter().map(|consent| consent.id.clone()).collect();
        let consented_until_ms = given.iter().map(|consent| consent.expires_at_ms).min();
        let given = given
            .into_iter()
            .map(|consent| (consent.id.clone(), v1::Consent::from(consent).encode_to_vec()));
        let new = NewTask {
            id: part.task_id.clone(),
            node: part.node.clone(),
            kind: task.kind().to_owned(),
            task: part.task.clone(),
            revision,
            operator: operator.to_owned(),
            predecessor,
            consents: given.collect(),
            consented_until_ms,
        };
        tx.add_task(&new, self.now_ms())
            .await
            .map_err(|error| match error.is_duplicate() {
                true => AppError::Consent {
                    node: part.node.clone(),
                    reason: "the consent was used before".to_owned(),
                },
                false => error.into(),
            })?;
        let mut detail = format!("{}, task {}", task.kind(), part.task_id);
        if !consented.is_empty() {
            detail = format!("{detail}, with consent {}", consented.join(", "));
        }
        self.audit(tx, operator, "task", &part.node, &detail).await?;
        let text = format!("{operator} requested: {}", task.kind());
        let event = self.event(EventKind::TaskQueued, &part.node, text);
        tx.add_event(&Event {
            task_id: part.task_id.clone(),
            ..event
        })
        .await?;
        Ok(Some(part.task_id.clone()))
    }
}

fn refuse_busy(busy: &[heeler_store::Task], part: &PlanTask) -> Result<()> {
    match busy.iter().find(|open| open.node == part.node) {
        Some(open) if !part.task_id.is_empty() => Err(AppError::Refused(format!(
            "{} still runs an earlier task. Watch it: heeler task follow {}",
            part.node, open.id
        ))),
        _ => Ok(()),
    }
}

fn holds(shown: &v1::NodePlan) -> bool {
    let settled = [v1::StepOutcome::Satisfied, v1::StepOutcome::NotApplicable];
    !shown.steps.is_empty() && shown.steps.iter().all(|step| settled.contains(&step.outcome()))
}

fn check_names(parts: &[PlanTask], names: &[String]) -> Result<()> {
    match names.iter().find(|name| !parts.iter().any(|part| part.node == **name)) {
        Some(name) => Err(AppError::NotFound(format!(
            "this plan does not include {name}. Look again: heeler plan {name}"
        ))),
        None => Ok(()),
    }
}
