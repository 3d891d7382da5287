use crate::{Result, Tx, signed};

/// Where a task is between its start and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum TaskState {
    /// Not handed out yet.
    Queued,
    /// Handed out; the agent has not confirmed it.
    Sent,
    /// The agent has it in its journal.
    Running,
    /// Done: every step found or made the machine as wanted.
    Done,
    /// A step needs a person's decision.
    Blocked,
    /// A step failed, or the outcome is not known.
    Failed,
    /// Never started.
    Refused,
}

impl TaskState {
    /// Whether the state is final.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Sent | Self::Running)
    }
}

/// One task for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Id that the plan gave it.
    pub id: String,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// The kind as lists show it: "ensure pool", "erase disk".
    pub kind: String,
    /// The encoded `v1::Task`.
    pub task: Vec<u8>,
    /// Number of the revision that asked for it.
    pub revision: u64,
    /// Operator name, as in the audit log.
    pub operator: String,
    /// Its state.
    pub state: TaskState,
    /// Why it ended so: a clause without capital and full stop; empty where there is nothing to add.
    pub reason: String,
    /// The encoded `v1::Blocked`, which says what a person must do; None unless blocked.
    pub blocked: Option<Vec<u8>>,
    /// Number of operations applied.
    pub changes: u32,
    /// When it was queued, Unix milliseconds.
    pub created_at_ms: u64,
    /// When it ended, Unix milliseconds; 0 while it is open.
    pub finished_at_ms: u64,
    /// Epoch of its generation; 0 until it is handed out.
    pub epoch: u64,
    /// Counter of its generation; 0 until it is handed out.
    pub counter: u64,
    /// The operation that it is part of.
    pub operation: Option<u64>,
    /// Id of the task that must be done first.
    pub predecessor: Option<String>,
    /// When its predecessor was done, or when it was queued if it has none, Unix milliseconds; 0: not yet.
    pub ready_at_ms: u64,
    /// When the first of its consents expires, Unix milliseconds; None without consents.
    pub consented_until_ms: Option<u64>,
}

/// A task to queue, as the plan made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Id that the plan gave it.
    pub id: String,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// The kind as lists show it: "ensure pool", "erase disk".
    pub kind: String,
    /// The encoded `v1::Task`.
    pub task: Vec<u8>,
    /// Number of the revision that asks for it.
    pub revision: u64,
    /// Operator name, as in the audit log.
    pub operator: String,
    /// Id of the task that must be done first; None: it is ready at once.
    pub predecessor: Option<String>,
    /// Id and encoded `v1::Consent` of each consent.
    pub consents: Vec<(String, Vec<u8>)>,
    /// When the first of them expires, Unix milliseconds.
    pub consented_until_ms: Option<u64>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A final state ([`TaskState::is_over`]).
    pub state: TaskState,
    /// A clause for a person: no capital, no full stop.
    pub reason: String,
    /// The encoded `v1::Blocked`, which says what a person must do; None unless blocked.
    pub blocked: Option<Vec<u8>>,
    /// Number of operations applied.
    pub changes: u32,
}

macro_rules! select {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Task,
            r#"SELECT id, node, kind, task, revision as "revision: u64", operator, state as "state: TaskState", reason,
            blocked, changes as "changes: u32", created_at_ms as "created_at_ms: u64",
            finished_at_ms as "finished_at_ms: u64", epoch as "epoch: u64", counter as "counter: u64",
            operation as "operation: u64", predecessor, ready_at_ms as "ready_at_ms: u64",
            consented_until_ms as "consented_until_ms: u64" FROM tasks "#
            + $tail
            $(, $argument)*
        )
    };
}

impl Tx {
    /// The task with that id.
    pub async fn task(&mut self, id: &str) -> Result<Option<Task>> {
        Ok(select!("WHERE id = ?", id).fetch_optional(&mut *self.tx).await?)
    }

    /// At most `limit` tasks, newest first, without those of removed nodes.
    pub async fn tasks(&mut self, limit: u32) -> Result<Vec<Task>> {
        Ok(select!(
            "WHERE node NOT IN (SELECT node FROM removed) ORDER BY created_at_ms DESC, id LIMIT ?",
            limit
        )
        .fetch_all(&mut *self.tx)
        .await?)
    }

    /// At most `limit` tasks of the node, newest first.
    pub async fn tasks_of(&mut self, node: &str, limit: u32) -> Result<Vec<Task>> {
        let query = select!("WHERE node = ? ORDER BY created_at_ms DESC, id LIMIT ?", node, limit);
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// At most `limit` tasks of each node, newest first.
    pub async fn recent_tasks(&mut self, limit: u32) -> Result<Vec<Task>> {
        let query = select!(
            "WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY node ORDER BY created_at_ms DESC, id)
            AS place FROM tasks) WHERE place <= ?) ORDER BY created_at_ms DESC, id",
            limit
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Tasks that have not ended, oldest first.
    pub async fn open_tasks(&mut self) -> Result<Vec<Task>> {
        let query = select!("WHERE state IN ('queued', 'sent', 'running') ORDER BY created_at_ms, rowid");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Whether a task or an operation of the node has not ended. One statement, for every node that connects.
    pub async fn has_open_work(&mut self, node: &str) -> Result<bool> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM tasks WHERE node = ?1 AND state IN ('queued', 'sent', 'running'))
            OR EXISTS (SELECT 1 FROM operations WHERE node = ?1 AND state = 'open') as "open: bool""#,
            node
        );
        Ok(query.fetch_one(&mut *self.tx).await?)
    }

    /// Queues a task with its consents.
    pub async fn add_task(&mut self, task: &NewTask, now_ms: u64) -> Result<()> {
        let ready_ms = if task.predecessor.is_none() { now_ms } else { 0 };
        let query = sqlx::query!(
            "INSERT INTO tasks (id, node, kind, task, revision, operator, state, reason, changes, created_at_ms,
             finished_at_ms, epoch, counter, predecessor, ready_at_ms, consented_until_ms)
             VALUES (?, ?, ?, ?, ?, ?, 'queued', '', 0, ?, 0, 0, 0, ?, ?, ?)",
            task.id,
            task.node,
            task.kind,
            task.task,
            signed(task.revision),
            task.operator,
            signed(now_ms),
            task.predecessor,
            signed(ready_ms),
            task.consented_until_ms.map(signed)
        );
        self.one("new task", query).await?;
        for (id, body) in &task.consents {
            let query = sqlx::query!(
                "INSERT INTO consents (id, task_id, body) VALUES (?, ?, ?)",
                id,
                task.id,
                body
            );
            self.one("new consent", query).await?;
        }
        Ok(())
    }

    /// The encoded `v1::Consent`s that were given with a task, by id.
    pub async fn consents(&mut self, task: &str) -> Result<Vec<Vec<u8>>> {
        let query = sqlx::query_scalar!("SELECT body FROM consents WHERE task_id = ? ORDER BY id", task);
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Records that a queued task is handed out under this generation, as part of `operation` when there is one. Fails
    /// when the task is not queued.
    pub async fn send_task(&mut self, id: &str, (epoch, counter): (u64, u64), operation: Option<u64>) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE tasks SET state = 'sent', epoch = ?, counter = ?, operation = coalesce(?, operation)
             WHERE id = ? AND state = 'queued'",
            signed(epoch),
            signed(counter),
            operation.map(signed),
            id
        );
        self.one("task to send", query).await
    }

    /// Records that the agent has the task. No effect on a task that has ended.
    pub async fn run_task(&mut self, id: &str) -> Result<()> {
        self.run(sqlx::query!(
            "UPDATE tasks SET state = 'running' WHERE id = ? AND state IN ('queued', 'sent')",
            id
        ))
        .await
        .map(drop)
    }

    /// Ends the task; when it is done, the tasks that waited for it are ready. Also replaces an outcome that was
    /// recorded while the agent was away: the agent knows better.
    pub async fn finish_task(&mut self, id: &str, outcome: &Outcome, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE tasks SET state = ?, reason = ?, blocked = ?, changes = ?, finished_at_ms = ? WHERE id = ?",
            outcome.state,
            outcome.reason,
            outcome.blocked,
            outcome.changes,
            signed(now_ms),
            id
        );
        self.one("finished task", query).await?;
        if outcome.state == TaskState::Done {
            self.run(sqlx::query!(
                "UPDATE tasks SET ready_at_ms = ? WHERE predecessor = ? AND ready_at_ms = 0",
                signed(now_ms),
                id
            ))
            .await?;
        }
        Ok(())
    }

    /// The newest task of an operation.
    pub async fn task_of_operation(&mut self, operation: u64) -> Result<Option<Task>> {
        let query = select!(
            "WHERE operation = ? ORDER BY created_at_ms DESC, rowid DESC LIMIT 1",
            signed(operation)
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }
}
