use crate::{Result, Tx, signed};

/// A plan as it was shown, which `apply` may still carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// 128 random bits, in hex.
    pub id: String,
    /// The candidate heeler.toml; None for a plan that erases a disk.
    pub text: Option<String>,
    /// Short commit hash of the checkout; empty when heeler.toml was in no git commit.
    pub git_commit: String,
    /// Uncommitted lines of heeler.toml then: lines added or lines deleted, whichever is more.
    pub dirty_lines: u32,
    /// Number of the revision that the candidate is based on; 0: none.
    pub parent: u64,
    /// When it was made, Unix milliseconds.
    pub created_at_ms: u64,
    /// The encoded reply of the apply that used the plan, to repeat it; None while it is unused.
    pub reply: Option<Vec<u8>>,
}

/// One task of a plan, for a node that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTask {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// Order among the node's tasks, from 0.
    pub position: u32,
    /// Id that the task gets when it starts; empty when nothing of it changes.
    pub task_id: String,
    /// The encoded `v1::Task`.
    pub task: Vec<u8>,
    /// The encoded `v1::NodePlan` that the person was shown, with the steps of this task alone.
    pub shown: Vec<u8>,
}

impl Tx {
    /// Stores a plan and its tasks. Fails when the id is taken.
    pub async fn add_plan(&mut self, plan: &Plan, tasks: &[PlanTask]) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO plans (id, text, git_commit, dirty_lines, parent, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            plan.id,
            plan.text,
            plan.git_commit,
            plan.dirty_lines,
            signed(plan.parent),
            signed(plan.created_at_ms)
        );
        self.one("new plan", query).await?;
        for task in tasks {
            let query = sqlx::query!(
                "INSERT INTO plan_tasks (plan, node, position, task_id, task, shown) VALUES (?, ?, ?, ?, ?, ?)",
                plan.id,
                task.node,
                task.position,
                task.task_id,
                task.task,
                task.shown
            );
            self.one("task of a new plan", query).await?;
        }
        Ok(())
    }

    /// The plan with that id.
    pub async fn plan(&mut self, id: &str) -> Result<Option<Plan>> {
        let query = sqlx::query_as!(
            Plan,
            r#"SELECT id, text, git_commit, dirty_lines as "dirty_lines: u32", parent as "parent: u64",
            created_at_ms as "created_at_ms: u64", reply FROM plans WHERE id = ?"#,
            id
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// The plan's tasks, by node and position.
    pub async fn plan_tasks(&mut self, id: &str) -> Result<Vec<PlanTask>> {
        let query = sqlx::query_as!(
            PlanTask,
            r#"SELECT node, position as "position: u32", task_id, task, shown FROM plan_tasks WHERE plan = ?
            ORDER BY node, position"#,
            id
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Records that the plan was carried out, with the reply. Fails when it was used before.
    pub async fn use_plan(&mut self, id: &str, reply: &[u8]) -> Result<()> {
        let query = sqlx::query!("UPDATE plans SET reply = ? WHERE id = ? AND reply IS NULL", reply, id);
        self.one("plan", query).await
    }

    /// Deletes plans made before `before_ms` (Unix milliseconds), with their tasks.
    pub async fn drop_plans(&mut self, before_ms: u64) -> Result<()> {
        self.run(sqlx::query!(
            "DELETE FROM plan_tasks WHERE plan IN (SELECT id FROM plans WHERE created_at_ms < ?)",
            signed(before_ms)
        ))
        .await?;
        self.run(sqlx::query!(
            "DELETE FROM plans WHERE created_at_ms < ?",
            signed(before_ms)
        ))
        .await
        .map(drop)
    }
}
