use crate::error::one;
use crate::{StoreError, Tx, signed};

/// What a person was shown and may still carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Random.
    pub id: String,
    /// The candidate's heeler.toml; None for the erasure of a disk.
    pub text: Option<String>,
    /// Of the checkout that it came from.
    pub git_commit: String,
    /// Uncommitted lines at the time.
    pub dirty_lines: u32,
    /// The revision that its author had seen.
    pub parent: u64,
    /// Unix milliseconds.
    pub created_at_ms: u64,
    /// The encoded reply to the apply that used it; None before.
    pub reply: Option<Vec<u8>>,
}

/// A plan's part for one task of a node that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTask {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// Among the node's tasks, from 0.
    pub position: u32,
    /// Of the task that would be started; empty when it would not.
    pub task_id: String,
    /// That task, encoded.
    pub task: Vec<u8>,
    /// What the person was shown of it, encoded.
    pub shown: Vec<u8>,
}

impl Tx {
    /// Stores a plan with its tasks.
    pub async fn add_plan(&mut self, plan: &Plan, tasks: &[PlanTask]) -> Result<(), StoreError> {
        let (parent, at) = (signed(plan.parent), signed(plan.created_at_ms));
        let result = sqlx::query!(
            "INSERT INTO plans (id, text, git_commit, dirty_lines, parent, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            plan.id,
            plan.text,
            plan.git_commit,
            plan.dirty_lines,
            parent,
            at
        )
        .execute(&mut *self.tx)
        .await?;
        one("new plan", &result)?;
        for task in tasks {
            let result = sqlx::query!(
                "INSERT INTO plan_tasks (plan, node, position, task_id, task, shown) VALUES (?, ?, ?, ?, ?, ?)",
                plan.id,
                task.node,
                task.position,
                task.task_id,
                task.task,
                task.shown
            )
            .execute(&mut *self.tx)
            .await?;
            one("task of a new plan", &result)?;
        }
        Ok(())
    }

    /// The plan of that id.
    pub async fn plan(&mut self, id: &str) -> Result<Option<Plan>, StoreError> {
        let query = sqlx::query_as!(
            Plan,
            r#"SELECT id, text, git_commit, dirty_lines as "dirty_lines: u32", parent as "parent: u64",
            created_at_ms as "created_at_ms: u64", reply FROM plans WHERE id = ?"#,
            id
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Its tasks, by node and position.
    pub async fn plan_tasks(&mut self, id: &str) -> Result<Vec<PlanTask>, StoreError> {
        let query = sqlx::query_as!(
            PlanTask,
            r#"SELECT node, position as "position: u32", task_id, task, shown FROM plan_tasks WHERE plan = ?
            ORDER BY node, position"#,
            id
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The plan was carried out, and this was the answer. Fails when it was before.
    pub async fn use_plan(&mut self, id: &str, reply: &[u8]) -> Result<(), StoreError> {
        let result = sqlx::query!("UPDATE plans SET reply = ? WHERE id = ? AND reply IS NULL", reply, id)
            .execute(&mut *self.tx)
            .await?;
        one("plan", &result)
    }

    /// Drops plans older than `before_ms`.
    pub async fn drop_plans(&mut self, before_ms: u64) -> Result<(), StoreError> {
        let before = signed(before_ms);
        sqlx::query!(
            "DELETE FROM plan_tasks WHERE plan IN (SELECT id FROM plans WHERE created_at_ms < ?)",
            before
        )
        .execute(&mut *self.tx)
        .await?;
        sqlx::query!("DELETE FROM plans WHERE created_at_ms < ?", before)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
